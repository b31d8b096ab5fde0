import { setTimeout as delay } from "node:timers/promises";

import type { Change, WaitOptions } from "../../support/until.ts";
import type { Carrier, OpenDelivery, Parcel, PayloadKind } from "./carrier.ts";
import type { FakeAck, JsonObject, SentPayload } from "./model.ts";

/** Slack tries an event again three times: https://docs.slack.dev/apis/events-api (2026-11). */
const RETRIES_MAX = 3;

const RETRY_REASONS = {
  timeout: "timeout",
  connection_lost: "connection_failed",
  not_connected: "connection_failed",
  refused: "http_error",
  waiting: "unknown_error",
  acked: "unknown_error",
} as const satisfies Record<OpenDelivery["outcome"], string>;

export interface DispatchInput {
  readonly kind: PayloadKind;
  readonly eventId: string;
  readonly payload: JsonObject;
  readonly envelope?: JsonObject | undefined;
  readonly firstAttempt?: number | undefined;
}

/** Hands payloads to the app until they are acknowledged or every attempt was in vain. */
export class Dispatcher {
  carrier: Carrier;
  readonly sent: SentPayload[] = [];
  readonly ackListeners = new Set<(ack: FakeAck) => void>();
  readonly #acked = new Set<string>();
  readonly #change: Change;
  readonly #retryDelaysMs: readonly number[];
  readonly #signal: AbortSignal;

  constructor(
    carrier: Carrier,
    change: Change,
    retryDelaysMs: readonly number[],
    signal: AbortSignal,
  ) {
    this.carrier = carrier;
    this.#change = change;
    this.#retryDelaysMs = retryDelaysMs;
    this.#signal = signal;
  }

  /** Sends at once when there is a way; the order of calls is the order on the wire. */
  dispatch(input: DispatchInput, carrier: Carrier = this.carrier): SentPayload {
    const { promise, resolve, reject } = Promise.withResolvers<JsonObject | undefined>();
    // A test need not look at every acknowledgement.
    promise.catch(() => undefined);
    const deliveries: OpenDelivery[] = [];
    const sent: SentPayload = {
      eventId: input.eventId,
      payload: input.payload,
      acked: promise,
      deliveries,
    };
    // Counted for each sending: one event id may be sent twice on purpose.
    let isAccepted = false;
    const parcel: Parcel = {
      kind: input.kind,
      sent,
      envelope: input.envelope ?? {},
      isAccepted: () => isAccepted,
      accept: (ack) => {
        isAccepted = true;
        this.#acked.add(input.eventId);
        resolve(ack.payload);
        for (const listener of this.ackListeners) listener({ sent, ...ack });
        this.#change.notify();
      },
    };
    this.sent.push(sent);
    const first = input.firstAttempt ?? 0;
    // Ends with the last attempt or with the fake itself; `acked` tells how.
    this.#attempt(parcel, deliveries, carrier, first)
      .then(() => new Error(`nobody acknowledged ${describe(sent)}`))
      .catch((error: unknown) => error)
      .then(reject)
      .catch(() => undefined);
    return sent;
  }

  isAcked(eventId: string): boolean {
    return this.#acked.has(eventId);
  }

  waitForAck(eventId: string, options: WaitOptions): Promise<void> {
    return this.#change
      .until(
        `the acknowledgement of ${eventId}`,
        () => this.isAcked(eventId) || undefined,
        () => this.describe(),
        options,
      )
      .then(() => undefined);
  }

  describe(): string {
    const open = this.sent.filter(({ eventId }) => !this.isAcked(eventId));
    return `${this.sent.length} payloads sent, not acknowledged: ${open.map(describe).join("; ") || "none"}`;
  }

  async #attempt(
    parcel: Parcel,
    deliveries: OpenDelivery[],
    carrier: Carrier,
    first: number,
  ): Promise<void> {
    // Only events are tried again: a person repeats a command or a click.
    const last = parcel.kind === "events_api" ? RETRIES_MAX : first;
    for (let attempt = first; attempt <= last; attempt += 1) {
      const before = deliveries.at(-1);
      if (before)
        await delay(this.#retryDelaysMs[attempt - 1] ?? 0, undefined, { signal: this.#signal });
      if (parcel.isAccepted()) return;
      const delivery: OpenDelivery = { attempt, sentAt: new Date(), outcome: "waiting" };
      if (attempt > 0) delivery.retryReason = RETRY_REASONS[before?.outcome ?? "timeout"];
      deliveries.push(delivery);
      await carrier.carry(parcel, delivery);
      this.#change.notify();
      if (parcel.isAccepted()) return;
    }
  }
}

function describe({ eventId, deliveries }: SentPayload): string {
  const outcomes = deliveries.map((each) => `${each.attempt}:${each.outcome}`);
  return `${eventId} [${outcomes.join(" ")}]`;
}
