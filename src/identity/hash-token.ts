import { createHash, randomBytes } from "node:crypto";

/** 256 random bits in 43 characters of base64url. */
export function randomToken(): string {
  return randomBytes(32).toString("base64url");
}

/** What is kept of a token. 256 random bits need no slow hash: there is nothing to guess. */
export function hashOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

/** Whether a text can be a token of `randomToken`. */
export function isToken(text: string): boolean {
  return /^[A-Za-z0-9_-]{43}$/.test(text);
}
