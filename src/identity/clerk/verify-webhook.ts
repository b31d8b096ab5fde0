import { createHmac, timingSafeEqual } from "node:crypto";
import type { Secret } from "#platform";

const TOLERANCE_SECONDS = 300;
const SECRET_BYTES_MIN = 24;
const SIGNATURES_MAX = 20;
/** The id is followed by a point in what is signed, so it has none itself. */
const ID = /^[\w-]{1,200}$/;
const TIMESTAMP = /^\d{1,11}$/;

export interface WebhookHeaders {
  readonly [name: string]: string | undefined;
}

/** The key of a `whsec_…` secret; undefined when it is too short to be one. */
export function readWebhookSecret(secret: Secret): Buffer | undefined {
  const text = secret.reveal();
  const encoded = text.startsWith("whsec_") ? text.slice("whsec_".length) : text;
  const key = Buffer.from(encoded, "base64");
  const isWhole = key.toString("base64").replace(/=+$/, "") === encoded.replace(/=+$/, "");
  return isWhole && key.length >= SECRET_BYTES_MIN ? key : undefined;
}

/**
 * The id and time of a delivery whose signature holds; undefined otherwise. Standard Webhooks over the
 * raw bytes: the vendor's own library decodes them first, so that broken UTF-8 passes with the
 * signature of its repaired twin.
 */
export function verifyWebhook(
  keys: readonly Buffer[],
  { headers, body, now }: { headers: WebhookHeaders; body: Uint8Array; now: Date },
): { readonly id: string; readonly sentAt: Date } | undefined {
  // One family of names, not a mix of both.
  const family = headers["svix-id"] === undefined ? "webhook" : "svix";
  const id = headers[`${family}-id`] ?? "";
  const timestamp = headers[`${family}-timestamp`] ?? "";
  const signatures = headers[`${family}-signature`] ?? "";
  if (!ID.test(id) || !TIMESTAMP.test(timestamp)) return undefined;
  const seconds = Number(timestamp);
  if (Math.abs(now.getTime() / 1000 - seconds) > TOLERANCE_SECONDS) return undefined;
  const candidates = signatures
    .split(" ", SIGNATURES_MAX)
    .filter((part) => part.startsWith("v1,"))
    .map((part) => Buffer.from(part.slice(3), "base64"));
  const isSigned = keys.some((key) => {
    const expected = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest();
    return candidates.some(
      (candidate) => candidate.length === expected.length && timingSafeEqual(candidate, expected),
    );
  });
  return isSigned ? { id, sentAt: new Date(seconds * 1000) } : undefined;
}
