import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { AppError, type Log } from "#platform";
import type { Account } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import { dataPathFor, SERVER_ENV } from "./init-cluster.ts";
import { findPostmaster, stopPostmaster } from "./postmaster.ts";

interface ServerOptions {
  readonly directory: string;
  readonly port: number;
  readonly account: Account | undefined;
  readonly binaries: Binaries;
  /** Further `name=value` settings. */
  readonly settings: readonly string[];
  readonly log: Log;
}

// Replaying the log after a crash is most of it.
const READY_TIMEOUT_MS = 60_000;
const RESTART_DELAY_MS_MAX = 5_000;
const CONNECTIONS_MAX = 200;

const SETTINGS = [
  "listen_addresses=127.0.0.1",
  "unix_socket_directories=",
  `max_connections=${CONNECTIONS_MAX}`,
  "max_wal_size=256MB",
  "log_checkpoints=off",
  // A young database has no statistics; its tables fill within seconds of the first start.
  "autovacuum_naptime=10s",
  // Statements and their values may hold messages and tokens: the server's log does not repeat them.
  "log_min_error_statement=panic",
  "log_error_verbosity=terse",
];

/** A PostgreSQL that is started, watched and stopped by this process. */
export class EmbeddedServer {
  readonly #options: ServerOptions;
  readonly #dataDirectory: string;
  readonly #logPath: string;
  readonly #stopping = new AbortController();
  #child: ChildProcess | undefined;
  #watch: Promise<void> = Promise.resolve();

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#dataDirectory = join(options.directory, "postgres");
    this.#logPath = join(options.directory, "postgres.log");
  }

  async start(signal: AbortSignal): Promise<void> {
    const child = await this.#spawnUntilReady(AbortSignal.any([signal, this.#stopping.signal]));
    this.#watch = this.#keepRunning(child);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    const pid = this.#child?.exitCode === null ? this.#child.pid : undefined;
    if (pid !== undefined) await stopPostmaster(pid);
    await this.#watch;
  }

  /** For a process that ends without time to wait: the server rolls back and replays its log next time. */
  abandon(): void {
    this.#stopping.abort();
    this.#child?.kill("SIGQUIT");
  }

  async #keepRunning(first: ChildProcess): Promise<void> {
    const { log } = this.#options;
    const { signal } = this.#stopping;
    let child: ChildProcess | undefined = first;
    let delayMs = 100;
    while (!signal.aborted) {
      if (child !== undefined) {
        await ended(child);
        if (signal.aborted) return;
        log.error({ code: child.exitCode }, "the embedded database ended, starting it again");
      }
      try {
        child = await this.#spawnUntilReady(signal);
        delayMs = 100;
        log.info({ port: this.#options.port }, "the embedded database runs again");
      } catch (error) {
        if (signal.aborted) return;
        child = undefined;
        log.error({ err: error }, "the embedded database does not start");
        await sleep(delayMs, undefined, { signal }).catch(() => undefined);
        delayMs = Math.min(delayMs * 2, RESTART_DELAY_MS_MAX);
      }
    }
  }

  async #spawnUntilReady(signal: AbortSignal): Promise<ChildProcess> {
    const child = this.#spawn();
    this.#child = child;
    const deadlineAt = performance.now() + READY_TIMEOUT_MS;
    while (child.exitCode === null && child.signalCode === null) {
      const postmaster = await findPostmaster(this.#dataDirectory);
      if (postmaster?.pid === child.pid && postmaster?.isReady === true) return child;
      if (signal.aborted || performance.now() > deadlineAt) {
        child.kill("SIGQUIT");
        signal.throwIfAborted();
        break;
      }
      await sleep(5);
    }
    throw new AppError(
      "unavailable",
      `The embedded database does not start: ${this.#lastLogLine()} The rest is in ${this.#logPath}.`,
    );
  }

  #spawn(): ChildProcess {
    const { account, binaries, port, settings } = this.#options;
    const flags = [...SETTINGS, ...settings].flatMap((setting) => ["-c", setting]);
    // Begun anew each time, so it stays small.
    const logFile = openSync(this.#logPath, "w", 0o600);
    try {
      const child = spawn(
        binaries.postgres,
        ["-D", dataPathFor(account, this.#dataDirectory), "-p", String(port), ...flags],
        {
          ...account,
          cwd: this.#dataDirectory,
          env: SERVER_ENV,
          stdio: ["ignore", logFile, logFile],
          // Control-C in a terminal goes to the whole group; the server outlives our own goodbye.
          detached: true,
        },
      );
      child.on("error", (error) => this.#options.log.error({ err: error }, "no database process"));
      return child;
    } finally {
      closeSync(logFile);
    }
  }

  #lastLogLine(): string {
    const lines = readFileSync(this.#logPath, "utf8").trim().split("\n");
    return (lines.findLast((line) => /FATAL|PANIC|error/.test(line)) ?? lines.at(-1) ?? "").slice(
      0,
      300,
    );
  }
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once("exit", () => resolve()));
}
