import { randomUUID } from "node:crypto";

import type { Carrier, OpenDelivery, Parcel } from "./carrier.ts";
import { isObject } from "./json.ts";
import type { Socket, SocketHub } from "./socket-hub.ts";

interface SocketCarrierOptions {
  readonly ackTimeoutMs: number;
  readonly whenDisconnected: "hold" | "lose";
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
    const outcome = Promise.withResolvers<OpenDelivery["outcome"]>();
    // The entry stays: an acknowledgement that comes too late still ends further attempts.
    this.#open.set(envelopeId, (payload) => {
      this.#open.delete(envelopeId);
      outcome.resolve("acked");
      parcel.accept({ delivery, payload: isObject(payload) ? payload : undefined });
    });
    socket.send(JSON.stringify(makeEnvelope(parcel, delivery, envelopeId)));
    const late = setTimeout(() => outcome.resolve("timeout"), this.#options.ackTimeoutMs);
    function onClosed(): void {
      outcome.resolve("connection_lost");
    }
    socket.onClosed.add(onClosed);
    delivery.outcome = await outcome.promise;
    socket.onClosed.delete(onClosed);
    clearTimeout(late);
  }

  async #waitForSocket(): Promise<Socket | undefined> {
    if (this.#options.whenDisconnected === "lose") return undefined;
    return this.#hub.waitForSocket();
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
