import {
  type Secret,
  type Webhook,
  type WebhookOutcome,
  type WebhookRequest,
  cutText,
  parseRecord,
  textIn,
  type UntrustedRecord,
} from "@infragpt/connector-kit";
import { createDelivery, type PayloadKind } from "./deliveries.ts";
import { isSignedBySlack } from "./signature.ts";

interface WebhookDeps {
  readonly signingSecrets: readonly Secret[];
  readonly clock: { now(): Date };
}

/** Slack's largest payloads, messages with blocks inside an interaction, stay below. */
const BODY_BYTES_MAX = 1024 * 1024;

/** The three addresses of the HTTP transport. */
export function createWebhooks(deps: WebhookDeps): readonly Webhook[] {
  return [
    createWebhook(deps, "/slack/events", "event", readJsonBody),
    createWebhook(deps, "/slack/interactivity", "interaction", readInteractionBody),
    createWebhook(deps, "/slack/commands", "command", readFormBody),
  ];
}

function createWebhook(
  deps: WebhookDeps,
  path: string,
  kind: PayloadKind,
  readBody: (body: string) => UntrustedRecord | undefined,
): Webhook {
  return {
    path,
    bodyBytesMax: BODY_BYTES_MAX,
    receive(request) {
      const now = deps.clock.now();
      if (!isSignedBySlack(request, deps.signingSecrets, now)) {
        return { kind: "refuse", status: 401, reason: "no valid signature of Slack" };
      }
      const payload = readBody(decodeBody(request));
      return payload === undefined
        ? { kind: "refuse", status: 400, reason: "the signed body is not understood" }
        : receivePayload(kind, payload, request.receivedAt);
    },
  };
}

function receivePayload(
  kind: PayloadKind,
  payload: UntrustedRecord,
  receivedAt: Date,
): WebhookOutcome {
  if (kind === "event" && payload["type"] === "url_verification") {
    return answerChallenge(textIn(payload, "challenge") ?? "");
  }
  const delivery = createDelivery(kind, payload, receivedAt);
  // Nothing to store, such as app_rate_limited or a command's ssl_check: a repeat would tell no more.
  if (delivery === undefined) return { kind: "reply", reply: { status: 200 } };
  return { kind: "deliver", delivery };
}

const CHALLENGE_CHARACTERS_MAX = 1_000;

function answerChallenge(challenge: string): WebhookOutcome {
  const body = cutText(challenge, CHALLENGE_CHARACTERS_MAX);
  return { kind: "reply", reply: { status: 200, contentType: "text/plain; charset=utf-8", body } };
}

function decodeBody(request: WebhookRequest): string {
  return Buffer.from(request.body).toString("utf8");
}

function readJsonBody(body: string): UntrustedRecord | undefined {
  return parseRecord(body);
}

function readInteractionBody(body: string): UntrustedRecord | undefined {
  const payload = new URLSearchParams(body).get("payload");
  return payload === null ? undefined : parseRecord(payload);
}

/** Repeated fields do not occur; the first counts. */
function readFormBody(body: string): UntrustedRecord | undefined {
  const fields = [...new URLSearchParams(body)].toReversed();
  return fields.length === 0 ? undefined : Object.fromEntries(fields);
}
