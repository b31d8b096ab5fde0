import {
  isHmacSha256,
  type Delivery,
  type InboundEvent,
  type Secret,
  type Webhook,
  type WebhookRequest,
} from "@infragpt/connector-kit";
import { IncidentEvent } from "./beacon-answers.ts";

const WINDOW_MS = 300_000;

/** Beacon signs `<seconds>.<body>`; the time is checked in both directions. */
export function createIncidentWebhook(secrets: readonly Secret[]): Webhook {
  return {
    path: "/webhooks/beacon",
    bodyBytesMax: 256 * 1024,
    receive(request) {
      if (!isSigned(request, secrets)) {
        return { kind: "refuse", status: 401, reason: "no valid signature of Beacon" };
      }
      const event = readEvent(request.body);
      if (!event)
        return { kind: "refuse", status: 400, reason: "the signed body is not understood" };
      const { delivery_id: deliveryId, account_id: accountId, incident } = event;
      const orderKey = `${accountId}:${incident.id}`;
      const delivery = { deliveryId, accountId, orderKey, kind: "incident", body: request.body };
      return { kind: "deliver", delivery };
    },
  };
}

/** What a stored delivery means: a signal that opens, changes or closes with its incident. */
export function parseIncident(delivery: Delivery): readonly InboundEvent[] {
  const event = readEvent(delivery.body);
  if (!event) return [{ kind: "ignored", reason: "an unknown event" }];
  const { id, title, state, since } = event.incident;
  return [
    {
      kind: "signal",
      signal: {
        source: "beacon",
        kind: `incident.${state}`,
        severity: state === "resolved" ? "info" : "error",
        title: title.slice(0, 300),
        state,
        occurredAt: new Date(since),
        dedupeKey: `beacon:${event.account_id}:${id}`,
      },
    },
  ];
}

function isSigned(request: WebhookRequest, secrets: readonly Secret[]): boolean {
  const seconds = request.headers["x-beacon-timestamp"] ?? "";
  const signature = request.headers["x-beacon-signature"] ?? "";
  if (!/^\d{1,11}$/.test(seconds)) return false;
  const offMs = Math.abs(request.receivedAt.getTime() - Number(seconds) * 1_000);
  const bytes = Buffer.concat([Buffer.from(`${seconds}.`), request.body]);
  return isHmacSha256(bytes, [signature], secrets) && offMs <= WINDOW_MS;
}

function readEvent(body: Uint8Array) {
  try {
    const json: unknown = JSON.parse(Buffer.from(body).toString("utf8"));
    return IncidentEvent.safeParse(json).data;
  } catch {
    return undefined;
  }
}
