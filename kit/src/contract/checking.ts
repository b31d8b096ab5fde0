import assert from "node:assert/strict";
import { inspect } from "node:util";
import { ConnectorError, type ConnectorErrorKind } from "../errors.ts";
import { Secret } from "../secret.ts";
import type { ContractVendor } from "./vendor.ts";

/** Longer than any honest call to a loopback port; shorter than a person's patience with a test. */
export const CALL_MS_MAX = 5_000;

export function inTime(): { readonly signal: AbortSignal } {
  return { signal: AbortSignal.timeout(CALL_MS_MAX) };
}

/** The ConnectorError of a call that must fail, with a message that shows no secret. */
export async function refusalOf(
  vendor: ContractVendor,
  what: string,
  call: () => Promise<unknown>,
): Promise<ConnectorError> {
  const outcome = await call().then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  assert.ok("error" in outcome, `${what} was not refused`);
  const { error } = outcome;
  assert.ok(error instanceof ConnectorError, `${what} threw no ConnectorError: ${inspect(error)}`);
  assert.ok(error.message.length > 0 && error.message.length < 1_000, `${what} says nothing`);
  assertNoSecret(vendor, what, error);
  return error;
}

export function assertKind(
  error: ConnectorError,
  what: string,
  allowed: readonly ConnectorErrorKind[],
): void {
  assert.ok(
    allowed.includes(error.kind),
    `${what}: ${error.kind} is none of ${allowed.join(", ")}`,
  );
}

/** Looks for every secret, also as base64, hex and in a URL, in all that a log could show of a value. */
export function assertNoSecret(vendor: ContractVendor, what: string, value: unknown): void {
  const shown = [
    String(value),
    inspect(value, { depth: 12, showHidden: true, getters: true }),
    JSON.stringify(value) ?? "",
    value instanceof Error ? (value.stack ?? "") : "",
  ].join("\n");
  for (const secret of vendor.secrets().filter((each) => each.length >= 6)) {
    for (const form of formsOf(secret)) {
      assert.ok(!shown.includes(form), `${what} shows a secret`);
    }
  }
}

function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const base64 = bytes.toString("base64").replace(/=+$/, "");
  const base64url = bytes.toString("base64url");
  return [secret, base64, base64url, bytes.toString("hex"), encodeURIComponent(secret)];
}

/** Credentials hide themselves, and have names that can be stored. */
export function assertCredentials(credentials: Readonly<Record<string, Secret>>): void {
  for (const [name, secret] of Object.entries(credentials)) {
    assert.match(name, /^[a-z][a-z0-9_]{0,62}$/);
    assert.ok(secret instanceof Secret, `${name} is no Secret`);
    assert.ok(secret.reveal() !== "", `${name} is empty`);
  }
}
