import assert from "node:assert/strict";
import { test } from "node:test";
import { createDelivery, type PayloadKind } from "./deliveries.ts";
import { parseDelivery } from "./parse.ts";
import { readFrame } from "./socket-frames.ts";
import { ACCOUNT, eventPayload, messageEvent } from "./test-payloads.ts";

const HOSTILE: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1e308,
  "",
  "\u0000",
  "__proto__",
  "constructor",
  "toString",
  "<@UBOT>",
  "x".repeat(70_000),
  [],
  [null],
  {},
  { id: "T1" },
  { text: { text: { text: "deep" } } },
];

const PAYLOADS: Readonly<Record<PayloadKind, unknown>> = {
  event: eventPayload(
    messageEvent({
      thread_ts: "1700000000.000001",
      subtype: "bot_message",
      bot_id: "B9",
      bot_profile: { name: "Alerts" },
      blocks: [{ type: "rich_text", elements: [{ type: "rich_text_section", elements: [{}] }] }],
      attachments: [{ title: "t", fields: [{ title: "a", value: "b" }], blocks: [{ type: "x" }] }],
      files: [{ name: "a.log" }],
      edited: { user: "U1" },
    }),
  ),
  command: {
    command: "/infragpt",
    text: "help",
    team_id: "T1",
    channel_id: "C1",
    channel_name: "ops",
    user_id: "U1",
    user_name: "alice",
    response_url: "https://hooks.slack.com/x",
    trigger_id: "1.2.x",
    is_enterprise_install: "false",
    enterprise_id: "E1",
  },
  interaction: {
    type: "block_actions",
    team: { id: "T1", enterprise_id: "E1" },
    enterprise: { id: "E1" },
    user: { id: "U1", team_id: "T1" },
    channel: { id: "C1" },
    container: { channel_id: "C1", message_ts: "1.0", thread_ts: "1.0" },
    message: { ts: "1.0" },
    trigger_id: "1.2.x",
  },
};

/** Every copy of the value in which one node is replaced, one node after the other. */
function* variants(value: unknown, replacement: unknown): Generator {
  yield replacement;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      for (const variant of variants(item, replacement)) yield value.with(index, variant);
    }
  } else if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      for (const variant of variants(item, replacement)) yield { ...value, [key]: variant };
    }
  }
}

for (const kind of ["event", "command", "interaction"] as const) {
  test(`no ${kind} with anything anywhere throws or leaves its bounds`, () => {
    let delivered = 0;
    for (const replacement of HOSTILE) {
      for (const payload of variants(PAYLOADS[kind], replacement)) {
        const type = { event: "events_api", command: "slash_commands", interaction: "interactive" };
        const frame = readFrame(JSON.stringify({ envelope_id: "e", type: type[kind], payload }));
        assert.equal(frame.kind, "envelope");
        if (frame.payload === undefined) continue;
        const delivery = createDelivery(kind, frame.payload, new Date());
        if (delivery === undefined) continue;
        delivered += 1;
        for (const key of [delivery.deliveryId, delivery.messageKey ?? "", delivery.orderKey]) {
          assert.ok(key.length <= 1_000);
        }
        for (const event of parseDelivery(delivery, ACCOUNT)) {
          if (event.kind === "message") assert.ok(event.message.text.length <= 40_000);
          if (event.kind === "message") assert.ok(!Number.isNaN(event.message.sentAt.getTime()));
        }
      }
    }
    assert.ok(delivered > 50, "too few were deliveries: the test would pass on nothing");
  });
}
