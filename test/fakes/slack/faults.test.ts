import { type WebAPIHTTPError, type WebAPIRateLimitedError, WebClient } from "@slack/web-api";
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";

import { type FakeSlack, startFakeSlack } from "./index.ts";
import { quietLogger } from "./quiet-logger.ts";

let slack: FakeSlack;
let web: WebClient;

beforeEach(async () => {
  slack = await startFakeSlack();
  web = new WebClient(slack.workspace.botToken, {
    slackApiUrl: slack.apiUrl,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    logger: quietLogger,
    timeout: 300,
  });
});
afterEach(() => slack[Symbol.asyncDispose]());

function post(text: string, channel = "C0LOCAL"): Promise<unknown> {
  return web.chat.postMessage({ channel, text });
}

function texts(): readonly string[] {
  return slack.answers().map(({ text }) => text);
}

describe("a planned fault", () => {
  it("limits the rate as often as planned and no more", async () => {
    slack.fail("chat.postMessage", { kind: "rate_limited", retryAfterSeconds: 7 });

    await assert.rejects(post("first"), (error: WebAPIRateLimitedError) => error.retryAfter === 7);
    await post("second");

    assert.deepEqual(texts(), ["second"]);
  });

  it("answers with a server error", async () => {
    slack.fail("chat.postMessage", { kind: "http", status: 503 }, { times: 2 });

    await assert.rejects(post("1"), (error: WebAPIHTTPError) => error.statusCode === 503);
    await assert.rejects(post("2"));
    await post("3");

    assert.deepEqual(texts(), ["3"]);
  });

  for (const kind of ["hang_after_performing", "close_after_performing", "bad_json"] as const) {
    it(`loses the answer of a call that was performed: ${kind}`, async () => {
      slack.fail("chat.postMessage", { kind });

      await assert.rejects(post("posted, but nobody knows"));

      assert.deepEqual(texts(), ["posted, but nobody knows"]);
    });
  }

  it("cuts the line before anything was done", async () => {
    slack.fail("chat.postMessage", { kind: "close_before" });

    await assert.rejects(post("never"));

    assert.deepEqual(texts(), []);
    assert.equal(slack.calls("chat.postMessage")[0]?.fault?.kind, "close_before");
  });

  it("waits for one workspace or channel only", async () => {
    slack.addChannel("T0LOCAL", { id: "C0BUSY" });
    const fault = { kind: "error", error: "fatal_error" } as const;
    slack.fail("chat.postMessage", fault, { channelId: "C0BUSY" });

    await post("elsewhere");

    assert.deepEqual(texts(), ["elsewhere"]);
    await assert.rejects(post("x", "C0BUSY"), /fatal_error/);
  });
});

describe("onCall", () => {
  it("runs after the call was performed and before it is answered", async () => {
    const seen: string[] = [];
    const held = Promise.withResolvers<void>();
    using _ = slack.onCall("chat.postMessage", async () => {
      seen.push(...texts());
      await held.promise;
      seen.push("released");
    });

    const posting = post("hello").then(() => seen.push("answered"));
    await slack.waitForMessages(1);
    held.resolve();
    await posting;

    assert.deepEqual(seen, ["hello", "released", "answered"]);
  });
});

describe("a wait", () => {
  it("fails at its deadline and shows how things stand", async () => {
    await post("only one");

    await assert.rejects(slack.waitForMessages(2, { timeoutMs: 20 }), (error: Error) => {
      assert.match(error.message, /waited 20 ms for 2 answers/);
      assert.match(error.message, /only one/);
      return true;
    });
  });
});
