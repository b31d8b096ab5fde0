import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { Secret } from "@infragpt/connector-kit";
import { isValidSlackRequest } from "@slack/bolt";
import { isSignedBySlack } from "./signature.ts";

const NOW = new Date("2026-11-23T10:00:00Z");
const SECONDS = NOW.getTime() / 1_000;

test("agrees with Slack's own check within the window, and is stricter ahead of it", () => {
  for (const offsetSeconds of [-400, -300, -299, 0, 299, 300]) {
    for (const isForged of [false, true]) {
      const request = sign(`{"at":"${offsetSeconds} ünï"}`, SECONDS + offsetSeconds, isForged);

      const theirs = isValidSlackRequest({
        signingSecret: "s3cret",
        body: request.body,
        headers: {
          "x-slack-signature": request.signature,
          "x-slack-request-timestamp": SECONDS + offsetSeconds,
        },
        nowMilliseconds: NOW.getTime(),
      });

      assert.equal(isOurs(request), theirs, `${offsetSeconds} s, forged: ${isForged}`);
    }
  }
  // Slack's own check takes a request dated a year ahead; one that is captured would stay valid.
  assert.equal(isOurs(sign("{}", SECONDS + 31_536_000, false)), false);
});

interface SignedRequest {
  readonly body: string;
  readonly seconds: number;
  readonly signature: string;
}

function sign(body: string, seconds: number, isForged: boolean): SignedRequest {
  const secret = isForged ? "guessed" : "s3cret";
  const hmac = createHmac("sha256", secret).update(`v0:${seconds}:${body}`).digest("hex");
  return { body, seconds, signature: `v0=${hmac}` };
}

function isOurs(request: SignedRequest): boolean {
  const headers = {
    "x-slack-request-timestamp": String(request.seconds),
    "x-slack-signature": request.signature,
  };
  const body = Buffer.from(request.body);
  return isSignedBySlack({ headers, body }, [new Secret("s3cret")], NOW);
}
