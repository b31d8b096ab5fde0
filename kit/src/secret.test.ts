import assert from "node:assert/strict";
import { test } from "node:test";
import { format, inspect } from "node:util";
import { Secret } from "./index.ts";

test("a secret prints itself nowhere and is revealed only when asked", () => {
  const secret = new Secret("xoxb-1");

  const printed = [
    String(secret),
    JSON.stringify({ secret }),
    inspect({ secret }, { depth: 9, showHidden: true }),
    format("%s %o %j", secret, secret, secret),
    JSON.stringify(Object.entries(secret)),
    structuredCloneText(secret),
  ].join(" ");

  assert.doesNotMatch(printed, /xoxb/);
  assert.equal(secret.reveal(), "xoxb-1");
});

function structuredCloneText(value: object): string {
  return inspect(structuredClone({ ...value }));
}
