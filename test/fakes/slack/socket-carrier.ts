import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";

import type { Carrier, OpenDelivery, Parcel } from "./carrier.ts";
import { isObject } from "./json.ts";
import type { Socket, SocketHub } from "./socket-hub.ts";

interface SocketCarrierOptions {
  readonly ackTimeoutMs: number;
  readonly whenDisconnected: "hold" | "lose";
  readonly signal: AbortSignal;
}

/** Sends envelopes over any one of the sockets and waits for their acknowledgement. */
export class SocketCarrier implements Carrier {
  readonly #hub: SocketHub;
  readonly #options: SocketCarrierOptions;
  readonly #open = new Map<string, (payload: unknown) => void>();

  constructor(hub: SocketHub, options: SocketCarrierOptions) {
    this.#hub = hub;
    this.#options = options;
    hub.onText = (text) => this.#receive(text);
  }

  async carry(parcel: Parcel, delivery: OpenDelivery): Promise<void> {
    const socket = this.#hub.pick() ?? (await this.#waitForSocket());
    if (!socket) {
      delivery.outcome = "not_connected";
      return;
    }
    const envelopeId = randomUUID();
    delivery.envelopeId = envelopeId;
    delivery.connection = socket.number;
    delivery.sentAt = new Date();
    const acked = Promise.withResolvers<"acked">();
    // The entry stays: an acknowledgement that comes too late still ends further attempts.
    this.#open.set(envelopeId, (payload) => {
      this.#open.delete(envelopeId);
      if (delivery.outcome === "waiting") delivery.outcome = "acked";
      acked.resolve("acked");
      parcel.accept({ delivery, payload: isObject(payload) ? payload : undefined });
    });
    socket.send(JSON.stringify(makeEnvelope(parcel, delivery, envelopeId)));
    const outcome = await this.#outcome(acked.promise, socket);
    if (delivery.outcome === "waiting") delivery.outcome = outcome;
  }

  async #outcome(acked: Promise<"acked">, socket: Socket): Promise<OpenDelivery["outcome"]> {
    const settled = new AbortController();
    const signal = AbortSignal.any([this.#options.signal, settled.signal]);
    const late = delay(this.#options.ackTimeoutMs, "timeout" as const, { signal });
    late.catch(() => undefined);
    try {
      return await Promise.race([
        acked,
        late,
        socket.closed.then(() => "connection_lost" as const),
      ]);
    } finally {
      settled.abort();
    }
  }

  async #waitForSocket(): Promise<Socket | undefined> {
    if (this.#options.whenDisconnected === "lose") return undefined;
    return this.#hub.waitForSocket(this.#options.signal);
  }

  #receive(text: string): void {
    try {
      const answer: unknown = JSON.parse(text);
      if (isObject(answer)) this.#open.get(String(answer["envelope_id"]))?.(answer["payload"]);
    } catch {
      // Slack too ignores what it cannot read.
    }
  }
}

function makeEnvelope(parcel: Parcel, delivery: OpenDelivery, envelopeId: string): object {
  const retry = { retry_attempt: delivery.attempt, retry_reason: delivery.retryReason ?? "" };
  return {
    envelope_id: envelopeId,
    payload: parcel.sent.payload,
    type: parcel.kind,
    accepts_response_payload: parcel.kind !== "events_api",
    ...(parcel.kind === "events_api" ? retry : {}),
    ...parcel.envelope,
  };
}
