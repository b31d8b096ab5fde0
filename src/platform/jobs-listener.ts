import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import type { JobsConnection } from "./jobs-create.ts";
import type { Log } from "./log.ts";

interface ListenerOptions {
  readonly connection: JobsConnection;
  readonly channel: string;
  readonly log: Log;
  /** After a connection was lost, also called with "": anything may have been missed. */
  onMessage(payload: string): void;
}

const RECONNECT_DELAY_MS = 1_000;
const CONNECT_TIMEOUT_MS = 5_000;

/** One connection that LISTENs, and comes back when it breaks. What it misses is found by looking. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #stopping = new AbortController();
  #work: Promise<void> = Promise.resolve();

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#work = this.#listenForever();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#work;
  }

  async #listenForever(): Promise<void> {
    const { log } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.#listenOnce();
      } catch (error) {
        if (!signal.aborted) log.debug({ err: error }, "notifications of new jobs are interrupted");
      }
      await sleep(RECONNECT_DELAY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Returns or throws when the connection ends. */
  async #listenOnce(): Promise<void> {
    const { connection, channel } = this.#options;
    const { signal } = this.#stopping;
    const client = new Client({
      ...connection,
      application_name: "infragpt-listen",
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
    });
    const { promise: broken, reject } = Promise.withResolvers<never>();
    // Whoever wins the race below, the loser's rejection is expected.
    broken.catch(() => undefined);
    client.on("error", reject);
    client.on("end", () => reject(new Error("The connection ended.")));
    client.on("notification", ({ payload }) => this.#options.onMessage(payload ?? ""));
    function onAbort(): void {
      reject(signal.reason);
    }
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await Promise.race([client.connect(), broken]);
      await Promise.race([client.query(`listen ${channel}`), broken]);
      this.#options.onMessage("");
      await broken;
    } finally {
      signal.removeEventListener("abort", onAbort);
      await client.end();
    }
  }
}
