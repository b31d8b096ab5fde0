import assert from "node:assert/strict";
import type { Connector, Delivery, LinkState, ListenContext } from "@infragpt/connector-kit";
import type { GitHubDeps } from "./config.ts";

/** Pauses that end when a test says so. */
export class Pauses {
  readonly asked: number[] = [];
  #begun = Promise.withResolvers<void>();
  #pause: PromiseWithResolvers<void> | undefined;

  readonly pause: NonNullable<GitHubDeps["pause"]> = async (pauseMs, { signal }) => {
    const pause = Promise.withResolvers<void>();
    this.#pause = pause;
    signal.addEventListener("abort", () => pause.resolve(), { once: true });
    this.asked.push(pauseMs);
    this.#begun.resolve();
    await pause.promise;
  };

  /** Resolves when the next pause has begun. */
  begun(): Promise<void> {
    return this.#begun.promise;
  }

  end(): void {
    this.#begun = Promise.withResolvers();
    this.#pause?.resolve();
  }
}

interface ListenerOptions {
  readonly lastDeliveredAt?: Date;
  readonly deliver?: ListenContext["deliver"];
}

/** Hears what a connector listens to, one look at a time. */
export class Listener implements AsyncDisposable {
  readonly delivered: Delivery[] = [];
  readonly links: LinkState[] = [];
  readonly warnings: string[] = [];
  readonly #pauses: Pauses;
  readonly #listen: () => Promise<void>;
  readonly #stop = new AbortController();
  #listening: Promise<void> | undefined;

  constructor(connector: Connector, pauses: Pauses, options: ListenerOptions = {}) {
    const { lastDeliveredAt, deliver = () => Promise.resolve() } = options;
    this.#pauses = pauses;
    this.#listen = async () => {
      const listening = connector.listen?.({
        signal: this.#stop.signal,
        log: { debug() {}, info() {}, warn: (_, text) => this.warnings.push(text), error() {} },
        ...(lastDeliveredAt && { lastDeliveredAt }),
        deliver: async (delivery) => {
          await deliver(delivery);
          this.delivered.push(delivery);
        },
        report: (link) => this.links.push(link),
      });
      assert.ok(listening, "GitHub listens");
      await listening;
    };
  }

  /** From one pause to the next. */
  async look(): Promise<void> {
    if (this.#listening) this.#pauses.end();
    this.#listening ??= this.#listen();
    await this.#pauses.begun();
  }

  guids(): readonly string[] {
    return this.delivered.map(({ deliveryId }) => deliveryId);
  }

  /** Resolves when it listens no more. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#listening ??= this.#listen();
    await this.#listening;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
