import { randomUUID } from "node:crypto";

import type { AppIdentity } from "./app-identity.ts";
import { isObject } from "./json.ts";
import type { JsonObject, SentDelivery } from "./model.ts";
import { signWebhook } from "./sign-webhook.ts";

// https://docs.github.com/webhooks/testing-and-troubleshooting-webhooks/troubleshooting-webhooks#timed-out
const RECEIVER_TIMEOUT_MS = 10_000;
// https://docs.github.com/webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks
const KEPT_MS = 3 * 86_400_000;

export interface Delivery {
  readonly id: number;
  readonly guid: string;
  readonly atMs: number;
  readonly isRedelivery: boolean;
  readonly durationSeconds: number;
  readonly event: string;
  readonly payload: JsonObject;
  readonly body: string;
  readonly url: string;
  readonly requestHeaders: Readonly<Record<string, string>>;
  readonly outcome: Outcome;
}

interface Outcome {
  readonly status: string;
  readonly statusCode: number;
  readonly isReached: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Parcel {
  readonly guid: string;
  readonly event: string;
  readonly payload: JsonObject;
  readonly body: string;
  readonly secret: string;
  readonly isRedelivery: boolean;
}

const NO_HOST: Outcome = {
  status: "failed to connect to host",
  statusCode: 502,
  isReached: false,
  headers: {},
  body: "",
};

/** Webhooks of the App: each is tried once, and the log remembers what came back. */
export class Deliveries {
  receiver: string | undefined;
  readonly #app: AppIdentity;
  readonly #now: () => number;
  readonly #signal: AbortSignal;
  readonly #log: Delivery[] = [];
  readonly #underWay = new Set<Promise<SentDelivery>>();
  #lastId = 100_000_000_000;

  constructor(app: AppIdentity, now: () => number, signal: AbortSignal) {
    this.#app = app;
    this.#now = now;
    this.#signal = signal;
  }

  send(
    event: string,
    payload: object,
    options: { readonly guid?: string; readonly secret?: string } = {},
  ): Promise<SentDelivery> {
    const body = JSON.stringify(payload);
    const { guid = randomUUID(), secret = this.#app.webhookSecret } = options;
    const parsed: unknown = JSON.parse(body);
    const parcel = { guid, event, body, secret, payload: isObject(parsed) ? parsed : {} };
    return this.#track(this.#attempt({ ...parcel, isRedelivery: false }));
  }

  sendAgain({ guid, event, payload, body }: Delivery): Promise<SentDelivery> {
    const secret = this.#app.webhookSecret;
    return this.#track(this.#attempt({ guid, event, payload, body, secret, isRedelivery: true }));
  }

  /** What GitHub still remembers, newest first. */
  list(): readonly Delivery[] {
    const oldest = this.#now() - KEPT_MS;
    return this.#log.filter(({ atMs }) => atMs >= oldest).toSorted((a, b) => b.id - a.id);
  }

  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  async #track(attempt: Promise<SentDelivery>): Promise<SentDelivery> {
    this.#underWay.add(attempt);
    try {
      return await attempt;
    } finally {
      this.#underWay.delete(attempt);
    }
  }

  async #attempt({ secret, ...parcel }: Parcel): Promise<SentDelivery> {
    this.#lastId += 1;
    const id = this.#lastId;
    const atMs = this.#now();
    const url = this.receiver;
    const { event, guid } = parcel;
    const requestHeaders = signWebhook(this.#app, parcel.body, { event, guid, secret });
    // Without a receiver the log has it before `send` returns.
    const outcome =
      url === undefined ? NO_HOST : await this.#post(url, requestHeaders, parcel.body);
    const durationSeconds = Math.max(0, this.#now() - atMs) / 1_000;
    this.#log.push({
      ...parcel,
      id,
      atMs,
      url: url ?? "",
      requestHeaders,
      outcome,
      durationSeconds,
    });
    return { guid, id, status: outcome.isReached ? outcome.statusCode : 0 };
  }

  async #post(
    url: string,
    headers: Readonly<Record<string, string>>,
    body: string,
  ): Promise<Outcome> {
    const deadline = AbortSignal.timeout(RECEIVER_TIMEOUT_MS);
    try {
      const response = await fetch(url, {
        method: "POST",
        headers,
        body,
        redirect: "manual",
        signal: AbortSignal.any([this.#signal, deadline]),
      });
      return {
        status: response.ok ? "OK" : `Invalid HTTP Response: ${response.status}`,
        statusCode: response.status,
        isReached: true,
        headers: Object.fromEntries(response.headers),
        body: await response.text(),
      };
    } catch {
      return deadline.aborted ? { ...NO_HOST, status: "timed out", statusCode: 504 } : NO_HOST;
    }
  }
}
