import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ConnectorError, Secret, type ConnectorErrorKind } from "@infragpt/connector-kit";
import { startFakeSlack, type FakeSlack, type Fault } from "../../../../test/fakes/slack/index.ts";
import { fakeSlackConnection, fakeSlackMessenger } from "./test-connection.ts";

const CHANNEL = "C0LOCAL";
const TEAM = "T0LOCAL";

function inTime(): { readonly signal: AbortSignal } {
  return { signal: AbortSignal.timeout(15_000) };
}

function aPost(change: { readonly text?: string; readonly threadId?: string } = {}): {
  readonly channelId: string;
  readonly text: string;
  readonly idempotencyKey: string;
} {
  return { channelId: CHANNEL, text: "**Done.**", idempotencyKey: "key-1", ...change };
}

async function failureOf(promise: Promise<unknown>): Promise<ConnectorError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ConnectorError, `failed with ${String(error)}`);
  return error;
}

function post(slack: FakeSlack, text?: string): Promise<{ readonly messageId: string }> {
  const messenger = fakeSlackMessenger(slack, { callTimeoutMs: 300 });
  return messenger.post(fakeSlackConnection(slack), aPost(text ? { text } : {}), inTime());
}

describe("posting", () => {
  test("posts Markdown into the thread, without previews", async () => {
    await using slack = await startFakeSlack();
    const threadId = slack.write(TEAM, CHANNEL, "U1", "help");

    const { messageId } = await fakeSlackMessenger(slack).post(
      fakeSlackConnection(slack),
      aPost({ threadId, text: "# Title\n**bold** a < b" }),
      inTime(),
    );

    const [message] = slack.answers(TEAM, CHANNEL, threadId);
    assert.equal(message?.ts, messageId);
    assert.equal(message?.visibleText, "# Title\n**bold** a < b");
    assert.equal(message?.text, "# Title\n**bold** a &lt; b");
    const [call] = slack.calls("chat.postMessage");
    assert.deepEqual(
      [call?.arguments["unfurl_links"], call?.arguments["unfurl_media"]].map(String),
      ["false", "false"],
    );
  });

  test("notifies nobody, whatever an agent writes", async () => {
    await using slack = await startFakeSlack();

    await post(slack, "<!channel> <@U1> <!subteam^S1> @here `<!everyone>`\n```\n<!here>\n```");

    assert.deepEqual(slack.answers()[0]?.notifies, []);
  });

  test("posts every part of a long answer with much code", async () => {
    await using slack = await startFakeSlack();
    const markdown = `# Report\n\n\`\`\`json\n${'{"path": "C:\\\\temp", "at": "@here"}\n'.repeat(1_300)}\`\`\`\n`;
    const messenger = fakeSlackMessenger(slack);

    for (const text of messenger.split(markdown)) await post(slack, text);

    const shown = slack.answers().map((message) => message.blocks?.length);
    assert.ok(shown.length > 3);
    assert.ok(shown.every((count) => count === 1));
  });

  test("falls back to Slack's older markup where markdown blocks are refused", async () => {
    await using slack = await startFakeSlack();
    slack.fail("chat.postMessage", { kind: "error", error: "invalid_blocks" });

    await post(slack, "**Done** <!here>");

    const [message] = slack.answers();
    assert.equal(message?.blocks, undefined);
    assert.match(message?.text ?? "", /^\*Done\* &lt;/);
    assert.deepEqual(message?.notifies, []);
    assert.deepEqual(message?.metadata?.["event_payload"], { key: "key-1" });
  });

  const faults: readonly (readonly [string, Fault, ConnectorErrorKind])[] = [
    ["a 429", { kind: "rate_limited", retryAfterSeconds: 7 }, "rate_limited"],
    ["a 500", { kind: "http", status: 500 }, "uncertain"],
    ["a 503", { kind: "http", status: 503 }, "uncertain"],
    ["half of an answer", { kind: "bad_json" }, "uncertain"],
    ["silence before it acts", { kind: "hang_before" }, "uncertain"],
    ["silence after it acted", { kind: "hang_after_performing" }, "uncertain"],
    ["a cut line before it acts", { kind: "close_before" }, "uncertain"],
    ["a cut line after it acted", { kind: "close_after_performing" }, "uncertain"],
    ["internal_error", { kind: "error", error: "internal_error" }, "uncertain"],
    ["not_in_channel", { kind: "error", error: "not_in_channel" }, "not_member"],
    ["is_archived", { kind: "error", error: "is_archived" }, "gone"],
    ["channel_not_found", { kind: "error", error: "channel_not_found" }, "gone"],
    ["invalid_auth", { kind: "error", error: "invalid_auth" }, "unauthorized"],
    ["token_revoked", { kind: "error", error: "token_revoked" }, "unauthorized"],
    ["token_expired", { kind: "error", error: "token_expired" }, "unauthorized"],
    ["account_inactive", { kind: "error", error: "account_inactive" }, "unauthorized"],
    ["missing_scope", { kind: "error", error: "missing_scope" }, "missing_permission"],
    ["msg_too_long", { kind: "error", error: "msg_too_long" }, "rejected"],
    ["an error that is new", { kind: "error", error: "brand_new_error" }, "rejected"],
  ];
  for (const [what, fault, kind] of faults) {
    test(`${what} from Slack is ${kind}, after one attempt`, async () => {
      await using slack = await startFakeSlack();
      slack.fail("chat.postMessage", fault);

      const error = await failureOf(post(slack, "a private text"));

      assert.equal(error.kind, kind);
      assert.equal(slack.calls("chat.postMessage").length, 1);
      if (kind === "rate_limited") assert.equal(error.retryAfterMs, 7_000);
      assert.doesNotMatch(`${error.message} ${String(error.cause)}`, /xoxb|a private text/);
    });
  }

  test("an unreachable Slack is unavailable", async () => {
    const slack = await startFakeSlack();
    await slack[Symbol.asyncDispose]();

    assert.equal((await failureOf(post(slack))).kind, "unavailable");
  });

  test("a connection without a token must be reconnected", async () => {
    await using slack = await startFakeSlack();
    const connection = { ...fakeSlackConnection(slack), credentials: {} };

    const error = await failureOf(fakeSlackMessenger(slack).post(connection, aPost(), inTime()));

    assert.equal(error.kind, "unauthorized");
  });

  test("a caller who gives up before the call has posted nothing, and later cannot know", async () => {
    await using slack = await startFakeSlack();
    const messenger = fakeSlackMessenger(slack);
    const connection = fakeSlackConnection(slack);
    const gaveUp = { signal: AbortSignal.abort() };
    const giving = new AbortController();
    using _ = slack.onCall("chat.postMessage", () => giving.abort());

    const before = await failureOf(messenger.post(connection, aPost(), gaveUp));
    const during = await failureOf(messenger.post(connection, aPost(), giving));

    assert.equal(before.kind, "unavailable");
    assert.equal(during.kind, "uncertain");
  });

  test("two calls at once keep their own signals", async () => {
    await using slack = await startFakeSlack();
    const messenger = fakeSlackMessenger(slack);
    const connection = fakeSlackConnection(slack);
    const giving = new AbortController();
    slack.fail("chat.postMessage", { kind: "hang_before" });

    const first = failureOf(messenger.post(connection, aPost(), giving));
    await slack.waitForCalls("chat.postMessage", 1);
    const second = await messenger.post(connection, aPost(), inTime());
    giving.abort();

    assert.ok(second.messageId);
    assert.equal((await first).kind, "uncertain");
  });
});

describe("looking for a post whose outcome is unknown", () => {
  for (const isInThread of [true, false]) {
    const where = isInThread ? "a thread" : "a channel";
    test(`finds in ${where} what Slack performed but never answered`, async () => {
      await using slack = await startFakeSlack();
      const threadId = slack.write(TEAM, CHANNEL, "U1", "help");
      for (let i = 0; i < 250; i += 1)
        slack.write(TEAM, CHANNEL, "U2", `${i}`, { threadTs: threadId });
      slack.fail("chat.postMessage", { kind: "hang_after_performing" });
      const messenger = fakeSlackMessenger(slack, { callTimeoutMs: 300 });
      const connection = fakeSlackConnection(slack);
      const thread = isInThread ? { threadId } : {};

      const error = await failureOf(messenger.post(connection, aPost(thread), inTime()));
      const query = { channelId: CHANNEL, ...thread, since: new Date() };
      const found = await messenger.find(
        connection,
        { ...query, idempotencyKey: "key-1" },
        inTime(),
      );
      const other = await messenger.find(
        connection,
        { ...query, idempotencyKey: "key-2" },
        inTime(),
      );

      assert.equal(error.kind, "uncertain");
      assert.equal(found?.messageId, slack.answers()[0]?.ts);
      assert.equal(other, undefined);
    });
  }

  test("says when it cannot look", async () => {
    await using slack = await startFakeSlack();
    slack.fail("conversations.history", { kind: "rate_limited", retryAfterSeconds: 1 });
    const query = { channelId: CHANNEL, since: new Date(), idempotencyKey: "key-1" };

    const error = await failureOf(
      fakeSlackMessenger(slack).find(fakeSlackConnection(slack), query, inTime()),
    );

    assert.equal(error.kind, "rate_limited");
  });
});

describe("reading a thread", () => {
  test("gives the earlier messages, oldest first, and marks our own", async () => {
    await using slack = await startFakeSlack();
    const messenger = fakeSlackMessenger(slack);
    const connection = fakeSlackConnection(slack);
    const threadId = slack.write(TEAM, CHANNEL, "U1", "it &lt;burns&gt;");
    await messenger.post(connection, aPost({ threadId, text: "I look." }), inTime());
    slack.write(TEAM, CHANNEL, "U2", "thanks", { threadTs: threadId });
    const last = slack.write(TEAM, CHANNEL, "U1", "and now?", { threadTs: threadId });
    const query = { channelId: CHANNEL, threadId, beforeMessageId: last, messagesMax: 50 };

    const messages = await messenger.readThread(connection, query, inTime());

    assert.deepEqual(
      messages.map((message) => [message.text, message.isOwn]),
      [
        ["it <burns>", false],
        ["I look.", true],
        ["thanks", false],
      ],
    );
  });

  test("of a long thread gives the first message and the latest", async () => {
    await using slack = await startFakeSlack();
    const threadId = slack.write(TEAM, CHANNEL, "U1", "root");
    let last = threadId;
    for (let i = 0; i < 450; i += 1) {
      last = slack.write(TEAM, CHANNEL, "U1", `reply ${i}`, { threadTs: threadId });
    }
    const query = { channelId: CHANNEL, threadId, beforeMessageId: last, messagesMax: 3 };

    const messages = await fakeSlackMessenger(slack).readThread(
      fakeSlackConnection(slack),
      query,
      inTime(),
    );

    assert.deepEqual(
      messages.map((message) => message.text),
      ["root", "reply 447", "reply 448"],
    );
  });

  test("before the first message there is nothing", async () => {
    await using slack = await startFakeSlack();
    const threadId = slack.write(TEAM, CHANNEL, "U1", "root");
    const query = { channelId: CHANNEL, threadId, beforeMessageId: threadId, messagesMax: 3 };

    const messages = await fakeSlackMessenger(slack).readThread(
      fakeSlackConnection(slack),
      query,
      inTime(),
    );

    assert.deepEqual(messages, []);
  });
});

describe("showing and answering", () => {
  test("shows a status and ends it", async () => {
    await using slack = await startFakeSlack();
    const messenger = fakeSlackMessenger(slack);
    const connection = fakeSlackConnection(slack);
    const threadId = slack.write(TEAM, CHANNEL, "U1", "root");
    const status = { channelId: CHANNEL, threadId };

    await messenger.showStatus(connection, { ...status, text: "is looking…" }, inTime());
    const shown = slack.threadStatus(TEAM, CHANNEL, threadId);
    await messenger.showStatus(connection, { ...status, text: "" }, inTime());

    assert.equal(shown, "is looking…");
    assert.equal(slack.threadStatus(TEAM, CHANNEL, threadId), "");
  });

  test("answers a command for its author alone", async () => {
    await using slack = await startFakeSlack();
    const { responseUrl, acked } = slack.slashCommand(TEAM, CHANNEL, { command: "/infragpt" });
    acked.catch(() => {});

    await fakeSlackMessenger(slack).respond(
      fakeSlackConnection(slack),
      { responseUrl, text: "Hi **there** <!here>" },
      inTime(),
    );

    const message = slack.messages(TEAM, CHANNEL).find((one) => one.ephemeralTo !== undefined);
    assert.match(message?.text ?? "", /^Hi \*there\*/);
    assert.deepEqual(message?.notifies, []);
  });

  const foreign = [
    "https://evil.example/commands/T1/1/x",
    "http://hooks.slack.com/commands/T1/1/x",
    "https://hooks.slack.com.evil.example/x",
    "https://hooks.slack.com@evil.example/x",
    "https://hooks.slack.com:8443/x",
    "https://user@hooks.slack.com/x",
    "http://169.254.169.254/latest/meta-data",
    "file:///etc/passwd",
    "not a url",
  ];
  for (const responseUrl of foreign) {
    test(`never calls ${responseUrl}`, async () => {
      await using slack = await startFakeSlack();

      const answer = { responseUrl, text: "x" };
      const error = await failureOf(
        fakeSlackMessenger(slack).respond(fakeSlackConnection(slack), answer, inTime()),
      );

      assert.equal(error.kind, "rejected");
    });
  }

  test("an address that Slack no longer takes is gone", async () => {
    await using slack = await startFakeSlack();
    const responseUrl = new URL("/commands/used/up", slack.apiUrl).href;

    const error = await failureOf(
      fakeSlackMessenger(slack).respond(
        fakeSlackConnection(slack),
        { responseUrl, text: "x" },
        inTime(),
      ),
    );

    assert.equal(error.kind, "gone");
  });
});

describe("several workspaces", () => {
  test("each call speaks with its own token", async () => {
    await using slack = await startFakeSlack();
    const other = slack.addWorkspace({ teamId: "T2" });
    slack.addChannel("T2", { id: CHANNEL });
    const messenger = fakeSlackMessenger(slack);
    const here = fakeSlackConnection(slack);
    const there = {
      ...here,
      accountId: "T2",
      credentials: { bot_token: new Secret(other.botToken) },
    };

    await messenger.post(here, aPost({ text: "here" }), inTime());
    await messenger.post(there, aPost({ text: "there" }), inTime());

    assert.deepEqual(
      [slack.answers(TEAM, CHANNEL), slack.answers("T2", CHANNEL)].map((messages) =>
        messages.map((message) => message.visibleText),
      ),
      [["here"], ["there"]],
    );
  });
});
