import { mkdir } from "node:fs/promises";
import { platform } from "node:os";
import { join, resolve } from "node:path";
import { AppError, type Abortable, type Log } from "#platform";
import type { ConnectionOptions } from "../pool.ts";
import { findAccount, reachableBinaries } from "./account.ts";
import { findBinaries } from "./binaries.ts";
import { EmbeddedServer } from "./embedded-server.ts";
import { directoryIsHeld, holdDirectory } from "./hold-directory.ts";
import { EMBEDDED_USER, hasCluster, initCluster } from "./init-cluster.ts";
import {
  findFreePort,
  findSettings,
  isPortFree,
  makeSettings,
  saveSettings,
  type Settings,
} from "./settings.ts";
import { stopLeftover } from "./stop-leftover.ts";

interface EmbeddedOptions extends Abortable {
  readonly directory: string;
  readonly attach: boolean;
  readonly log: Log;
  /** Tests trade durability for speed. */
  readonly isDurable?: boolean;
}

export interface OpenEmbeddedServer {
  readonly connection: ConnectionOptions;
  /** Stops the server where this process started it. */
  stop(): Promise<void>;
  /** The same, without waiting, for a process that is about to end. */
  abandon(): void;
}

/** Starts the server of `directory`, creating it the first time, or attaches to a running one. */
export async function openEmbeddedServer(options: EmbeddedOptions): Promise<OpenEmbeddedServer> {
  const directory = resolve(options.directory);
  await mkdir(directory, { recursive: true, mode: directoryMode() });
  const held = holdDirectory(directory);
  if (!("release" in held)) {
    const settings = options.attach ? await findSettings(directory) : undefined;
    if (settings === undefined) throw directoryIsHeld(directory, held);
    return {
      connection: connectionOf(settings),
      stop: () => Promise.resolve(),
      abandon: () => undefined,
    };
  }
  try {
    const { server, settings } = await startServer({ ...options, directory });
    return {
      connection: connectionOf(settings),
      async stop() {
        await server.stop();
        held.release();
      },
      abandon: () => server.abandon(),
    };
  } catch (error) {
    held.release();
    throw error;
  }
}

/** Where the server runs under another account than ours, it must be able to walk through. */
function directoryMode(): number {
  const walksByName = process.getuid?.() === 0 && platform() !== "linux";
  return walksByName ? 0o711 : 0o700;
}

async function startServer(
  options: EmbeddedOptions,
): Promise<{ server: EmbeddedServer; settings: Settings }> {
  const { directory, log, signal, isDurable = true } = options;
  const [account, found] = await Promise.all([findAccount(), findBinaries()]);
  const binaries = await reachableBinaries(account, found);
  await stopLeftover(join(directory, "postgres"), log);
  const settings = await settingsFor(directory);
  if (!hasCluster(directory)) {
    log.info({ directory }, "creating the embedded database");
    const { password } = settings;
    await initCluster({ directory, account, binaries, password, isDurable, signal });
  }
  const { port } = settings;
  const server = new EmbeddedServer({
    directory,
    port,
    account,
    binaries,
    log,
    settings: isDurable ? [] : TEST_SETTINGS,
  });
  await server.start(signal);
  log.info({ port }, "the embedded database runs");
  return { server, settings };
}

const TEST_SETTINGS = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"];

async function settingsFor(directory: string): Promise<Settings> {
  const known = await findSettings(directory);
  if (known === undefined && hasCluster(directory)) {
    throw new AppError(
      "unavailable",
      `${directory} holds a database but not its postgres.json with the password: restore that file, or move the directory away.`,
    );
  }
  if (known !== undefined && (await isPortFree(known.port))) return known;
  const settings =
    known === undefined ? await makeSettings() : { ...known, port: await findFreePort() };
  await saveSettings(directory, settings);
  return settings;
}

function connectionOf({ port, password }: Settings): ConnectionOptions {
  return { host: "127.0.0.1", port, user: EMBEDDED_USER, password, database: "postgres" };
}
