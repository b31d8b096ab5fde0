import { EventEmitter, once } from "node:events";
import type { Delivery, LinkState } from "@infragpt/connector-kit";
import { Secret } from "@infragpt/connector-kit";
import type { SlackConfig } from "./config.ts";
import { createSlackConnector } from "./create-connector.ts";
import type { SocketTimings } from "./socket-timings.ts";

/** Short waits, so that a test sees a half-open link within a second. */
const FAST: SocketTimings = {
  pingIntervalMs: 100,
  pongTimeoutMs: 200,
  serverSilenceMs: 2_000,
  helloTimeoutMs: 2_000,
  backoffFirstMs: 10,
  backoffMaxMs: 40,
  retryAfterMaxMs: 50,
  backoffFatalMs: 40,
  stableAfterMs: 60_000,
  storeTimeoutMs: 10_000,
  drainMs: 2_000,
};

/** What a connector needs to know of a fake Slack; this file stays within the connector's walls. */
export interface SlackToReach {
  readonly apiUrl: string;
  readonly appToken: string;
  readonly signingSecret: string;
  readonly workspace: {
    readonly teamId: string;
    readonly botUserId: string;
    readonly botId: string;
    readonly botToken: string;
  };
}

export function fakeSlackConfig(
  slack: SlackToReach,
  change: Partial<SlackConfig> = {},
): SlackConfig {
  return {
    appToken: new Secret(slack.appToken),
    botToken: new Secret(slack.workspace.botToken),
    signingSecrets: [new Secret(slack.signingSecret)],
    transport: "socket",
    apiUrl: slack.apiUrl,
    sockets: 2,
    callTimeoutMs: 5_000,
    ...change,
  };
}

interface ListenerOptions {
  readonly config?: Partial<SlackConfig>;
  readonly timings?: Partial<SocketTimings>;
  /** What storing does; stored at once by default. */
  readonly store?: (delivery: Delivery) => Promise<void>;
}

/** A running listener that remembers what it was given and what it said. */
export class TestListener {
  readonly deliveries: Delivery[] = [];
  readonly links = new Map<string, LinkState>();
  readonly reports: LinkState[] = [];
  readonly logged: { readonly level: string; readonly facts: object; readonly message: string }[] =
    [];
  readonly #changes = new EventEmitter();
  readonly #stop = new AbortController();
  readonly done: Promise<void>;

  constructor(slack: SlackToReach, options: ListenerOptions = {}) {
    const connector = createSlackConnector(fakeSlackConfig(slack, options.config), {
      timings: { ...FAST, ...options.timings },
      random: () => 0.5,
    });
    const log = {
      debug: this.#logAs("debug"),
      info: this.#logAs("info"),
      warn: this.#logAs("warn"),
      error: this.#logAs("error"),
    };
    if (connector.listen === undefined) throw new Error("Socket Mode listens");
    this.done = connector.listen({
      signal: this.#stop.signal,
      log,
      deliver: async (delivery) => {
        await options.store?.(delivery);
        this.deliveries.push(delivery);
        this.#changes.emit("change");
      },
      report: (link) => {
        this.reports.push(link);
        this.links.set(link.name, link);
        this.#changes.emit("change");
      },
    });
  }

  get openLinks(): number {
    return [...this.links.values()].filter((link) => link.state === "open").length;
  }

  async waitFor(what: string, is: () => boolean): Promise<void> {
    const signal = AbortSignal.timeout(15_000);
    try {
      while (!is()) await once(this.#changes, "change", { signal });
    } catch (cause) {
      const links = JSON.stringify([...this.links.values()]);
      throw new Error(`waited in vain for ${what}: ${links}`, { cause });
    }
  }

  stop(): Promise<void> {
    this.#stop.abort();
    return this.done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #logAs(level: string): (facts: object, message: string) => void {
    return (facts, message) => {
      this.logged.push({ level, facts, message });
      this.#changes.emit("change");
    };
  }
}
