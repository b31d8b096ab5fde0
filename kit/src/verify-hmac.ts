import { createHmac, timingSafeEqual } from "node:crypto";
import type { Secret } from "./secret.ts";

/**
 * Whether one of the signatures, in hex, is the HMAC-SHA256 of these bytes under one of the secrets
 * (several while one replaces another). Takes the same time wherever they differ; false without any
 * secret or signature.
 */
export function isHmacSha256(
  bytes: Uint8Array,
  signaturesHex: readonly string[],
  secrets: readonly Secret[],
): boolean {
  const given = signaturesHex
    .filter((hex) => /^[0-9a-f]{64}$/i.test(hex))
    .slice(0, 20)
    .map((hex) => Buffer.from(hex, "hex"));
  let isAny = false;
  for (const secret of secrets) {
    if (secret.reveal() === "") continue;
    const expected = createHmac("sha256", secret.reveal()).update(bytes).digest();
    // No early return: how long it takes says nothing about which secret fits.
    for (const signature of given) isAny = timingSafeEqual(signature, expected) || isAny;
  }
  return isAny;
}
