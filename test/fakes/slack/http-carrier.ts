import { createHmac } from "node:crypto";

import type { Carrier, OpenDelivery, Parcel } from "./carrier.ts";
import { isObject } from "./json.ts";
import type { HttpReceiver, JsonObject } from "./model.ts";

interface HttpCarrierOptions {
  readonly receiver: HttpReceiver;
  readonly signingSecret: string;
  readonly ackTimeoutMs: number;
  readonly signal: AbortSignal;
}

/** https://docs.slack.dev/authentication/verifying-requests-from-slack (2026-11). */
export function signRequest(
  secret: string,
  body: string,
  timestampSeconds: number,
): Record<string, string> {
  const digest = createHmac("sha256", secret)
    .update(`v0:${timestampSeconds}:${body}`)
    .digest("hex");
  return {
    "x-slack-request-timestamp": String(timestampSeconds),
    "x-slack-signature": `v0=${digest}`,
  };
}

/** Posts payloads to the addresses of the app. */
export class HttpCarrier implements Carrier {
  readonly #options: HttpCarrierOptions;

  constructor(options: HttpCarrierOptions) {
    this.#options = options;
  }

  async carry(parcel: Parcel, delivery: OpenDelivery): Promise<void> {
    const { signingSecret, ackTimeoutMs, signal } = this.#options;
    const { url, body, contentType } = this.#encode(parcel);
    const retry = {
      "x-slack-retry-num": String(delivery.attempt),
      "x-slack-retry-reason": httpReason(delivery.retryReason),
    };
    delivery.sentAt = new Date();
    try {
      const response = await fetch(url, {
        method: "POST",
        body,
        headers: {
          "content-type": contentType,
          "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
          ...signRequest(signingSecret, body, Math.floor(Date.now() / 1000)),
          ...(delivery.attempt > 0 ? retry : {}),
        },
        signal: AbortSignal.any([signal, AbortSignal.timeout(ackTimeoutMs)]),
      });
      delivery.status = response.status;
      const answer = await response.text();
      delivery.outcome = response.ok ? "acked" : "refused";
      if (response.ok) parcel.accept({ delivery, payload: parseAnswer(answer) });
    } catch (error) {
      const isLate = error instanceof Error && error.name === "TimeoutError";
      delivery.outcome = isLate ? "timeout" : "connection_lost";
    }
  }

  #encode({ kind, sent }: Parcel): { url: string; body: string; contentType: string } {
    const { eventsUrl, interactivityUrl, commandsUrl } = this.#options.receiver;
    if (kind === "events_api") {
      const body = JSON.stringify(sent.payload);
      return { url: eventsUrl, body, contentType: "application/json" };
    }
    const contentType = "application/x-www-form-urlencoded";
    if (kind === "interactive") {
      const body = new URLSearchParams({ payload: JSON.stringify(sent.payload) }).toString();
      return { url: interactivityUrl ?? eventsUrl, body, contentType };
    }
    const fields = Object.entries(sent.payload).map(([key, value]) => [key, String(value)]);
    const body = new URLSearchParams(fields).toString();
    return { url: commandsUrl ?? eventsUrl, body, contentType };
  }
}

function httpReason(reason: string | undefined): string {
  return reason === "timeout" ? "http_timeout" : (reason ?? "unknown_error");
}

function parseAnswer(body: string): JsonObject | undefined {
  try {
    const answer: unknown = JSON.parse(body);
    return isObject(answer) ? answer : undefined;
  } catch {
    return undefined;
  }
}
