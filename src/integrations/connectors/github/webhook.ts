import {
  isHmacSha256,
  parseRecord,
  recordIn,
  type Delivery,
  type Secret,
  type UntrustedRecord,
  type Webhook,
  type WebhookOutcome,
  type WebhookRequest,
} from "@infragpt/connector-kit";

/** GitHub's own limit: https://docs.github.com/webhooks/webhook-events-and-payloads#payload-cap (2026-11). */
const BODY_BYTES_MAX = 25 * 1024 * 1024;
const NAME = /^[a-z][a-z0-9_]{0,99}$/;
const GUID = /^[A-Za-z0-9-]{8,100}$/;

/**
 * The app's one address. The signature is checked over the bytes: @octokit/webhooks takes text, for
 * which bytes that are no UTF-8 are the same as their replacement characters.
 */
export function createWebhook(appId: string, secrets: readonly Secret[]): Webhook {
  return {
    path: "/webhooks/github",
    bodyBytesMax: BODY_BYTES_MAX,
    receive(request) {
      const signature = /^sha256=([0-9a-f]{64})$/.exec(header(request, "x-hub-signature-256"));
      if (!isHmacSha256(request.body, [signature?.[1] ?? ""], secrets)) {
        return { kind: "refuse", status: 401, reason: "no valid signature of GitHub" };
      }
      const target = request.headers["x-github-hook-installation-target-id"];
      if (target !== undefined && target !== appId) {
        return { kind: "refuse", status: 403, reason: "the webhook is of another GitHub App" };
      }
      return readDelivery(request);
    },
  };
}

function header({ headers }: WebhookRequest, name: string): string {
  return headers[name] ?? "";
}

function readDelivery(request: WebhookRequest): WebhookOutcome {
  const event = header(request, "x-github-event");
  const guid = header(request, "x-github-delivery");
  if (!NAME.test(event) || !GUID.test(guid)) {
    return { kind: "refuse", status: 400, reason: "the event or the delivery is not named" };
  }
  const json = jsonOf(request);
  const payload = json && parseRecord(json.text);
  if (!json || !payload) {
    return { kind: "refuse", status: 400, reason: "the signed body is not understood" };
  }
  const delivery = createDelivery({ event, guid, payload, body: json.bytes });
  // A ping, or news of the app itself, such as its listing in the Marketplace.
  if (delivery === undefined) return { kind: "reply", reply: { status: 200 } };
  return { kind: "deliver", delivery };
}

interface Json {
  readonly text: string;
  readonly bytes: Uint8Array;
}

/** Undefined for bytes that are no text. A webhook may be set to send forms. */
function jsonOf(request: WebhookRequest): Json | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(request.body);
    const isForm = header(request, "content-type").startsWith("application/x-www-form-urlencoded");
    if (!isForm) return { text, bytes: request.body };
    const payload = new URLSearchParams(text).get("payload");
    return payload === null ? undefined : { text: payload, bytes: Buffer.from(payload) };
  } catch {
    return undefined;
  }
}

/** Undefined for what concerns no installation. Events of one repository stay in order. */
export function createDelivery(input: {
  readonly event: string;
  readonly guid: string;
  readonly payload: UntrustedRecord;
  readonly body: Uint8Array;
}): Delivery | undefined {
  const { event, guid, payload, body } = input;
  const installationId = numberIn(recordIn(payload, "installation"), "id");
  if (installationId === undefined) return undefined;
  const repositoryId = numberIn(recordIn(payload, "repository"), "id");
  const accountId = String(installationId);
  return {
    deliveryId: guid,
    accountId,
    orderKey: repositoryId === undefined ? accountId : `${accountId}:${repositoryId}`,
    kind: event,
    body,
  };
}

function numberIn(parent: UntrustedRecord, key: string): number | undefined {
  const value = parent[key];
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : undefined;
}
