import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { InboundEvent, InboundMessage } from "@infragpt/connector-kit";
import { parseDelivery } from "./parse.ts";
import { ACCOUNT, eventPayload, messageEvent, toDelivery } from "./test-payloads.ts";

type Payload = Readonly<Record<string, unknown>>;

function parseEvent(event: Payload): InboundEvent {
  const [parsed] = parseDelivery(toDelivery("event", eventPayload(event)), ACCOUNT);
  assert.ok(parsed);
  return parsed;
}

function parseMessage(fields: Payload): InboundMessage {
  const event = parseEvent(messageEvent(fields));
  assert.equal(event.kind, "message", JSON.stringify(event));
  return event.message;
}

function textOf(fields: Payload): string {
  return parseMessage(fields).text;
}

describe("reading a message", () => {
  test("says who wrote what, where and when", () => {
    const message = parseMessage({ thread_ts: "1699999999.000000" });

    assert.deepEqual(message, {
      channel: { id: "C1", kind: "public" },
      threadId: "1699999999.000000",
      messageId: "1700000000.000100",
      isReply: true,
      isAddressed: false,
      author: { kind: "person", id: "U1" },
      text: "hello",
      sentAt: new Date(1_700_000_000_000),
    });
  });

  test("a first message is its own thread, also when Slack repeats its ts as thread_ts", () => {
    const message = parseMessage({ thread_ts: "1700000000.000100" });

    assert.equal(message.isReply, false);
    assert.equal(message.threadId, message.messageId);
  });

  test("is addressed by a mention, whichever of the two events came first", () => {
    assert.equal(parseMessage({ text: "<@UBOT> why?" }).isAddressed, true);
    assert.equal(parseMessage({ text: "<@UBOT|infragpt> why?" }).isAddressed, true);
    const mention = { type: "app_mention", channel_type: undefined, text: "<@UBOT> why?" };
    assert.equal(parseMessage(mention).isAddressed, true);
    assert.equal(parseMessage({ text: "<@UBOTTLE> why?" }).isAddressed, false);
  });

  test("is addressed in a direct message, not in a group's", () => {
    assert.equal(parseMessage({ channel: "D1", channel_type: "im" }).isAddressed, true);
    assert.equal(parseMessage({ channel: "G1", channel_type: "mpim" }).isAddressed, false);
    const mention = parseMessage({ channel: "G1", channel_type: "mpim", text: "<@UBOT> hi" });
    assert.equal(mention.isAddressed, true);
  });

  for (const subtype of ["file_share", "thread_broadcast", "me_message"]) {
    test(`${subtype} is a message`, () => {
      assert.equal(parseMessage({ subtype }).author.kind, "person");
    });
  }

  test("another bot's message has a bot as author", () => {
    const message = parseMessage({
      subtype: "bot_message",
      user: undefined,
      bot_id: "B9",
      username: "Datadog",
    });

    assert.deepEqual(message.author, { kind: "bot", id: "B9", name: "Datadog" });
  });

  const ignored: readonly Payload[] = [
    { user: "UBOT" },
    { bot_id: "BBOT", user: undefined },
    { subtype: "message_changed", hidden: true, message: messageEvent() },
    { subtype: "message_deleted" },
    { subtype: "channel_join" },
    { hidden: true },
    { type: "app_mention", edited: { user: "U1", ts: "1" } },
    { ts: "not a ts" },
    { ts: undefined },
    { channel: undefined },
    { channel: { id: "C1" } },
    { user: undefined },
    { type: "reaction_added" },
    { subtype: "constructor" },
  ];
  for (const fields of ignored) {
    test(`${JSON.stringify(fields).slice(0, 80)} starts nothing`, () => {
      assert.equal(parseEvent(messageEvent(fields)).kind, "ignored");
    });
  }

  test("an unknown kind of channel is unknown, whatever it is called", () => {
    assert.equal(parseMessage({ channel_type: "constructor" }).channel.kind, "unknown");
  });
});

describe("reading the text of a message", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["<@UBOT> why is it slow?", "why is it slow?"],
    ["<@UBOT>: why?", "why?"],
    ["hey <@UBOT>, why?", "hey, why?"],
    ["a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"],
    ["see <https://example.com/?a=1&amp;b=2>", "see https://example.com/?a=1&b=2"],
    ["see <https://example.com|the docs>", "see the docs (https://example.com)"],
    ["<http://example.com|example.com>", "http://example.com"],
    ["<mailto:a@b.example|a@b.example>", "a@b.example"],
    ["<@U2> and <@U3|carol> in <#C9|ops> or <#C8>", "<@U2> and @carol in #ops or <#C8>"],
    ["<!here> <!subteam^S1|@oncall> <!date^1^x|today>", "@here @oncall today"],
    ["if a < b", "if a < b"],
  ];
  for (const [markup, text] of cases) {
    test(`${markup} reads ${text}`, () => {
      assert.equal(textOf({ text: markup }), text);
    });
  }

  test("comes from blocks and attachments where an alert has no other", () => {
    const text = textOf({
      subtype: "bot_message",
      bot_id: "B9",
      text: "",
      blocks: [
        { type: "header", text: { type: "plain_text", text: "CPU high" } },
        { type: "section", fields: [{ type: "mrkdwn", text: "host &lt;web-1&gt;" }] },
        {
          type: "rich_text",
          elements: [
            {
              type: "rich_text_section",
              elements: [
                { type: "text", text: "load " },
                { type: "text", text: "97%", style: { bold: true } },
              ],
            },
          ],
        },
      ],
      attachments: [{ title: "Monitor", fields: [{ title: "state", value: "ALERT" }] }],
    });

    assert.equal(text, "CPU high\nhost <web-1>\nload 97%\nMonitor\nstate: ALERT");
  });

  test("leaves out the preview of a person's link", () => {
    assert.equal(textOf({ text: "look", attachments: [{ text: "preview" }] }), "look");
  });

  test("names the files where there is nothing else", () => {
    const files = [{ name: "trace.log" }];

    assert.equal(textOf({ subtype: "file_share", text: "", files }), "[file: trace.log]");
  });

  test("is bounded and never ends in half a character", () => {
    const text = textOf({ text: `a${"😀".repeat(40_000)}` });

    assert.ok(text.length <= 40_000);
    assert.ok(text.isWellFormed());
  });

  test("survives blocks of any shape", () => {
    let deep: Payload = { type: "section", text: "bottom" };
    for (let depth = 0; depth < 1_000; depth += 1) deep = { elements: [null, 7, "x", deep] };

    assert.equal(textOf({ text: "", bot_id: "B9", blocks: [deep, null, [], 3] }), "");
    assert.equal(textOf({ text: 7, blocks: "no", attachments: { length: 3 } }), "");
  });
});

describe("reading everything else", () => {
  test("a command with its author and where to answer", () => {
    const delivery = toDelivery("command", {
      command: "/infragpt",
      text: "  monitor on ",
      team_id: "T1",
      channel_id: "C1",
      channel_name: "ops",
      user_id: "U1",
      user_name: "alice",
      response_url: "https://hooks.slack.com/commands/T1/1/x",
      trigger_id: "1.2.abc",
    });

    assert.deepEqual(parseDelivery(delivery, ACCOUNT), [
      {
        kind: "command",
        command: {
          channel: { id: "C1", kind: "unknown" },
          author: { kind: "person", id: "U1", name: "alice" },
          command: "infragpt",
          text: "monitor on",
          responseUrl: "https://hooks.slack.com/commands/T1/1/x",
          commandId: "1.2.abc",
          sentAt: new Date("2026-11-01T00:00:00Z"),
        },
      },
    ]);
  });

  test("an uninstalled app and a revoked bot token end the connection", () => {
    assert.equal(parseEvent({ type: "app_uninstalled" }).kind, "disconnected");
    const revoked = { type: "tokens_revoked", tokens: { bot: ["UBOT"] } };
    assert.equal(parseEvent(revoked).kind, "disconnected");
    const ofPeople = { type: "tokens_revoked", tokens: { oauth: ["U1"] } };
    assert.equal(parseEvent(ofPeople).kind, "ignored");
  });

  test("a click is not understood yet and says so", () => {
    const delivery = toDelivery("interaction", { type: "block_actions", team: { id: "T1" } });

    assert.deepEqual(parseDelivery(delivery, ACCOUNT), [
      { kind: "ignored", reason: "interaction block_actions" },
    ]);
  });
});
