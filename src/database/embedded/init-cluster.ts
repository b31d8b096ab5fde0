import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { platform, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Account, giveTo } from "./account.ts";
import type { Binaries } from "./binaries.ts";

const run = promisify(execFile);

/** The owner of everything in the embedded database. */
export const EMBEDDED_USER = "infragpt";

interface InitOptions {
  readonly directory: string;
  readonly account: Account | undefined;
  readonly binaries: Binaries;
  readonly password: string;
  /** Off for tests only: initdb then leaves the files to the operating system's cache. */
  readonly isDurable: boolean;
  readonly signal: AbortSignal;
}

export function hasCluster(directory: string): boolean {
  return existsSync(join(directory, "postgres", "PG_VERSION"));
}

/** Creates `<directory>/postgres`. It gets its name when it is whole, so a crash leaves no half of one. */
export async function initCluster(options: InitOptions): Promise<void> {
  const { directory, account, binaries, password, isDurable, signal } = options;
  const draft = join(directory, "postgres.new");
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  await giveTo(account, draft);
  // Not in `directory`: the server's account may be unable to enter it.
  const passwordPath = join(tmpdir(), `infragpt-${randomUUID()}`);
  await writeFile(passwordPath, `${password}\n`, { mode: 0o600, flag: "wx" });
  try {
    await giveTo(account, passwordPath);
    const flags = [
      ["--pgdata", dataPathFor(account, draft)],
      ["--username", EMBEDDED_USER],
      ["--pwfile", passwordPath],
      ["--auth", "scram-sha-256"],
      ["--encoding", "UTF8"],
      // The same order of text on every machine, whatever its locales.
      ["--locale-provider", "builtin"],
      ["--builtin-locale", "C.UTF-8"],
      ["--locale", "C"],
      ["--no-instructions"],
      isDurable ? [] : ["--no-sync"],
    ].flat();
    await run(binaries.initdb, flags, { ...account, cwd: draft, env: SERVER_ENV, signal });
  } finally {
    await rm(passwordPath, { force: true });
  }
  await rename(draft, join(directory, "postgres"));
}

/** Nothing of our own environment, which may hold secrets. */
export const SERVER_ENV = { LC_ALL: "C", TZ: "UTC", PATH: "/usr/bin:/bin" };

/**
 * The data directory as the server names it. Below a directory that only root may enter, the
 * account cannot walk to it by name, but the working directory it was started in is open to it.
 */
export function dataPathFor(account: Account | undefined, dataDirectory: string): string {
  return account !== undefined && platform() === "linux" ? "/proc/self/cwd" : dataDirectory;
}
