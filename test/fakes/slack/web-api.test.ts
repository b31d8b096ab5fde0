import {
  type ChatPostMessageArguments,
  type ChatPostMessageResponse,
  WebAPIPlatformError,
  WebClient,
  type WebClientOptions,
} from "@slack/web-api";
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";

import { type FakeSlack, startFakeSlack } from "./index.ts";
import { quietLogger } from "./quiet-logger.ts";

const channel = "C0LOCAL";
let slack: FakeSlack;
let web: WebClient;

beforeEach(async () => {
  slack = await startFakeSlack();
  web = clientOf(slack.workspace.botToken);
});
afterEach(() => slack[Symbol.asyncDispose]());

function clientOf(token: string, options: WebClientOptions = {}): WebClient {
  return new WebClient(token, {
    slackApiUrl: slack.apiUrl,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    logger: quietLogger,
    ...options,
  });
}

function post(message: ChatPostMessageArguments): Promise<ChatPostMessageResponse> {
  return web.chat.postMessage(message);
}

function greet(to: string): Promise<unknown> {
  return post({ channel: to, text: "hi" });
}

function refusedWith(code: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof WebAPIPlatformError, String(error));
    assert.equal(error.data.error, code);
    return true;
  };
}

describe("the fake Web API", () => {
  it("tells who a token is and what it may do", async () => {
    const answer = await web.auth.test();

    assert.equal(answer.user_id, "U0BOT");
    assert.equal(answer.team_id, "T0LOCAL");
    assert.ok(answer.response_metadata?.scopes?.includes("chat:write"));
  });

  it("keeps what was posted, with its thread and metadata", async () => {
    const root = slack.write("T0LOCAL", channel, "U0ALICE", "is prod slow?");
    const metadata = { event_type: "reply", event_payload: { key: "k1" } };
    await post({ channel, text: "yes", thread_ts: root, metadata });

    const read = await web.conversations.replies({ channel, ts: root, include_all_metadata: true });
    const bare = await web.conversations.replies({ channel, ts: root });

    assert.deepEqual(
      read.messages?.map(({ text }) => text),
      ["is prod slow?", "yes"],
    );
    assert.deepEqual(read.messages?.[1]?.metadata, metadata);
    assert.equal(bare.messages?.[1]?.metadata, undefined);
    assert.equal(slack.answers("T0LOCAL", channel, root).length, 1);
  });

  it("pages through a history, newest first, and through a thread, oldest first", async () => {
    const root = slack.write("T0LOCAL", channel, "U0ALICE", "root");
    for (const n of [1, 2, 3, 4, 5]) {
      slack.write("T0LOCAL", channel, "U0ALICE", `reply ${n}`, { threadTs: root });
    }
    slack.write("T0LOCAL", channel, "U0ALICE", "later");
    const texts: (string | undefined)[] = [];
    let cursor: string | undefined;

    do {
      const asked = { channel, ts: root, limit: 4, ...(cursor ? { cursor } : {}) };
      const page = await web.conversations.replies(asked);
      texts.push(...page.messages!.map(({ text }) => text));
      cursor = page.response_metadata?.next_cursor;
    } while (cursor);
    const history = await web.conversations.history({ channel });

    assert.deepEqual(texts, ["root", "reply 1", "reply 2", "reply 3", "reply 4", "reply 5"]);
    assert.deepEqual(
      history.messages?.map(({ text }) => text),
      ["later", "root"],
    );
    assert.equal(history.messages?.[1]?.reply_count, 5);
  });

  it("bounds a history by oldest and latest, inclusive when asked", async () => {
    const [first, second, third] = ["one", "two", "three"].map((text) =>
      slack.write("T0LOCAL", channel, "U0ALICE", text),
    );
    const bounds = { channel, oldest: first!, latest: third! };

    const outer = await web.conversations.history({ ...bounds, inclusive: true });
    const inner = await web.conversations.history(bounds);

    assert.equal(outer.messages?.length, 3);
    assert.deepEqual(
      inner.messages?.map(({ ts }) => ts),
      [second],
    );
  });

  it("refuses what Slack refuses", async () => {
    slack.addChannel("T0LOCAL", { id: "C0ARCHIVED", isArchived: true });
    slack.addChannel("T0LOCAL", { id: "C0OTHERS", isMember: false });
    slack.addChannel("T0LOCAL", { id: "G0SECRET", kind: "private", isMember: false });

    await assert.rejects(greet("C0ARCHIVED"), refusedWith("is_archived"));
    await assert.rejects(greet("C0OTHERS"), refusedWith("not_in_channel"));
    await assert.rejects(greet("G0SECRET"), refusedWith("channel_not_found"));
    await assert.rejects(greet("C0NOWHERE"), refusedWith("channel_not_found"));
    await assert.rejects(clientOf("xoxb-wrong").auth.test(), refusedWith("invalid_auth"));
    await assert.rejects(
      clientOf(slack.appToken).users.info({ user: "U1" }),
      refusedWith("not_allowed_token_type"),
    );
    await assert.rejects(web.apiCall("chat.unheardOf"), refusedWith("unknown_method"));
    slack.revokeToken("T0LOCAL");
    await assert.rejects(greet(channel), refusedWith("token_revoked"));
  });

  it("holds messages to Slack's limits", async () => {
    function postMarkdown(...texts: string[]): Promise<unknown> {
      const blocks = texts.map((text) => ({ type: "markdown", text }));
      return post({ channel, text: "fallback", blocks });
    }

    await postMarkdown("x".repeat(12_000));
    await assert.rejects(postMarkdown("x".repeat(12_001)), refusedWith("invalid_blocks"));
    await assert.rejects(
      postMarkdown("x".repeat(7_000), "y".repeat(7_000)),
      refusedWith("invalid_blocks"),
    );
    await assert.rejects(
      postMarkdown(...Array<string>(51).fill("x")),
      refusedWith("invalid_blocks"),
    );
    const sections = [1, 2, 3, 4, 5].map(() => ({
      type: "section",
      text: { type: "mrkdwn", text: "z".repeat(3_000) },
    }));
    await assert.rejects(
      post({ channel, text: "", blocks: sections }),
      refusedWith("msg_blocks_too_long"),
    );
    await post({ channel, text: "t".repeat(50_000) });
    assert.equal(slack.answers().at(-1)?.text.length, 40_000);
  });

  it("never shows one workspace's channel to another, even where the ids are equal", async () => {
    const other = slack.addWorkspace({ teamId: "T0OTHER" });
    slack.addChannel("T0OTHER", { id: channel });
    slack.addChannel("T0OTHER", { id: "C0ONLYTHERE" });
    const ts = "1700000000.000100";
    slack.write("T0LOCAL", channel, "U0ALICE", "ours", { ts });
    slack.write("T0OTHER", channel, "U0ALICE", "theirs", { ts });

    const ours = await web.conversations.replies({ channel, ts });
    const theirs = await clientOf(other.botToken).conversations.replies({ channel, ts });

    assert.equal(ours.messages?.[0]?.text, "ours");
    assert.equal(theirs.messages?.[0]?.text, "theirs");
    const stranger = web.conversations.info({ channel: "C0ONLYTHERE" });
    await assert.rejects(stranger, refusedWith("channel_not_found"));
  });

  it("updates and deletes only messages of its own", async () => {
    const theirs = slack.write("T0LOCAL", channel, "U0ALICE", "mine");
    const { ts } = await post({ channel, text: "draft" });
    await web.chat.update({ channel, ts: ts!, text: "final" });

    assert.equal(slack.answers()[0]?.text, "final");
    const foreign = web.chat.update({ channel, ts: theirs, text: "x" });
    await assert.rejects(foreign, refusedWith("cant_update_message"));
    await web.chat.delete({ channel, ts: ts! });
    assert.deepEqual(slack.answers(), []);
  });

  it("says whom a message notifies", async () => {
    await post({ channel, text: "<!channel> and <@U0ALICE|alice>" });
    await post({ channel, text: "&lt;!channel&gt; @here" });

    assert.deepEqual(
      slack.answers().map(({ notifies }) => notifies),
      [["!channel", "U0ALICE"], []],
    );
  });

  it("streams a message until it is stopped", async () => {
    const where = { channel, thread_ts: slack.write("T0LOCAL", channel, "U0ALICE", "q") };
    const recipient = { recipient_team_id: "T0LOCAL", recipient_user_id: "U0ALICE" };
    await assert.rejects(web.chat.startStream(where), refusedWith("missing_recipient_team_id"));
    const streamer = web.chatStream({ ...where, ...recipient, buffer_size: 1 });
    await streamer.append({ markdown_text: "**hello" });
    await streamer.append({ markdown_text: " world**" });
    await streamer.stop();

    const [answer] = slack.answers();
    assert.equal(answer?.visibleText, "**hello world**");
    const late = web.chat.appendStream({ channel, ts: answer.ts, markdown_text: "more" });
    await assert.rejects(late, refusedWith("message_not_in_streaming_state"));
  });

  it("shows a status until an answer ends it", async () => {
    const threadTs = slack.write("T0LOCAL", channel, "U0ALICE", "q");
    const where = { channel_id: channel, thread_ts: threadTs };
    await web.assistant.threads.setStatus({ ...where, status: "is thinking" });
    assert.equal(slack.threadStatus("T0LOCAL", channel, threadTs), "is thinking");

    await post({ channel, text: "a", thread_ts: threadTs });

    assert.equal(slack.threadStatus("T0LOCAL", channel, threadTs), "");
  });
});
