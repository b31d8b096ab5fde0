import { createHmac, timingSafeEqual } from "node:crypto";
import type { Secret, WebhookRequest } from "@infragpt/connector-kit";

const AGE_SECONDS_MAX = 300;

/**
 * Whether Slack signed these bytes, by any of the secrets. The time window is closed in both
 * directions: a captured request dated into the future would otherwise stay valid for as long.
 * https://docs.slack.dev/authentication/verifying-requests-from-slack (2026-11)
 */
export function isSignedBySlack(
  request: Pick<WebhookRequest, "headers" | "body">,
  secrets: readonly Secret[],
  now: Date,
): boolean {
  const timestamp = request.headers["x-slack-request-timestamp"] ?? "";
  const signature = request.headers["x-slack-signature"] ?? "";
  if (!/^\d{1,11}$/.test(timestamp) || !/^v0=[0-9a-f]{64}$/.test(signature)) return false;
  if (Math.abs(now.getTime() / 1_000 - Number(timestamp)) > AGE_SECONDS_MAX) return false;
  const given = Buffer.from(signature.slice("v0=".length), "hex");
  return secrets
    .filter((secret) => secret.reveal() !== "")
    .map((secret) => sign(secret, timestamp, request.body))
    .some((expected) => timingSafeEqual(expected, given));
}

function sign(secret: Secret, timestamp: string, body: Uint8Array): Buffer {
  return createHmac("sha256", secret.reveal()).update(`v0:${timestamp}:`).update(body).digest();
}
