import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createDelivery } from "./deliveries.ts";
import { eventPayload, messageEvent, toDelivery } from "./test-payloads.ts";

const RECEIVED_AT = new Date("2026-11-01T00:00:00Z");

describe("identifying what Slack sent", () => {
  test("a message and the mention of the same message share their key", () => {
    const message = toDelivery("event", eventPayload(messageEvent(), { event_id: "Ev1" }));
    const mention = toDelivery(
      "event",
      eventPayload(messageEvent({ type: "app_mention" }), { event_id: "Ev2" }),
    );

    assert.equal(message.messageKey, "T1:C1:1700000000.000100");
    assert.equal(mention.messageKey, message.messageKey);
    assert.equal(mention.orderKey, message.orderKey);
    assert.notEqual(mention.deliveryId, message.deliveryId);
  });

  const noMessages = [
    messageEvent({ subtype: "message_changed", hidden: true }),
    messageEvent({ subtype: "message_deleted" }),
    messageEvent({ hidden: true }),
    messageEvent({ type: "app_mention", edited: { user: "U1", ts: "1700000001.000000" } }),
    messageEvent({ subtype: "channel_join" }),
    messageEvent({ type: "reaction_added" }),
  ];
  for (const event of noMessages) {
    test(`${JSON.stringify(event)} does not take the key of the message`, () => {
      assert.equal(toDelivery("event", eventPayload(event)).messageKey, undefined);
    });
  }

  test("messages of one thread share their order, other threads do not wait", () => {
    const root = toDelivery("event", eventPayload(messageEvent()));
    const reply = toDelivery(
      "event",
      eventPayload(messageEvent({ ts: "1700000009.000000", thread_ts: "1700000000.000100" })),
    );
    const other = toDelivery("event", eventPayload(messageEvent({ ts: "1700000010.000000" })));

    assert.equal(reply.orderKey, root.orderKey);
    assert.notEqual(other.orderKey, root.orderKey);
  });

  test("belongs to the enterprise where the app is installed for all of it", () => {
    const authorizations = [{ enterprise_id: "E1", team_id: "T1", is_enterprise_install: true }];

    assert.equal(
      toDelivery("event", eventPayload(messageEvent(), { authorizations })).accountId,
      "E1",
    );
    assert.equal(
      toDelivery("command", {
        command: "/infragpt",
        team_id: "T1",
        enterprise_id: "E1",
        is_enterprise_install: "true",
      }).accountId,
      "E1",
    );
  });

  test("belongs to the installation, not to the workspace a shared channel's message came from", () => {
    const payload = eventPayload(messageEvent(), { team_id: "TOTHER" });

    assert.equal(toDelivery("event", payload).accountId, "T1");
  });

  test("keeps the payload as JSON", () => {
    const payload = eventPayload(messageEvent({ text: "ünïcode 😀" }));

    const body: unknown = JSON.parse(Buffer.from(toDelivery("event", payload).body).toString());

    assert.deepEqual(body, payload);
  });

  test("a command and a click are identified by their trigger", () => {
    const command = toDelivery("command", { command: "/x", team_id: "T1", trigger_id: "1.2.abc" });
    const click = toDelivery("interaction", {
      type: "block_actions",
      team: { id: "T1" },
      channel: { id: "C1" },
      container: { message_ts: "5.0", thread_ts: "1.0" },
      trigger_id: "1.2.abc",
    });

    assert.equal(command.deliveryId, "command:1.2.abc");
    assert.equal(click.deliveryId, "interaction:1.2.abc");
    assert.equal(click.orderKey, "T1:C1:1.0");
  });

  test("the same click without a trigger has the same identity when it is repeated", () => {
    const payload = { type: "view_closed", team: { id: "T1" }, view: { id: "V1" } };

    const first = toDelivery("interaction", payload);

    assert.equal(toDelivery("interaction", payload).deliveryId, first.deliveryId);
  });

  const nothings: readonly Readonly<Record<string, unknown>>[] = [
    {},
    { type: "app_rate_limited", team_id: "T1", minute_rate_limited: 1 },
    { type: "event_callback", team_id: "T1", event: null },
    { type: "event_callback", team_id: { $gt: "" }, event: { type: "message" } },
    { type: "event_callback", team_id: "x".repeat(10_000), event: { type: "message" } },
    { ssl_check: "1", token: "x" },
  ];
  test("a payload that is nested without end is identified like any other", () => {
    const deep: unknown = JSON.parse("[".repeat(100_000) + "]".repeat(100_000));

    const delivery = toDelivery("event", eventPayload(messageEvent({ deep })));

    assert.equal(delivery.deliveryId, "Ev1");
  });

  for (const payload of nothings) {
    test(`${JSON.stringify(payload).slice(0, 80)} is no delivery`, () => {
      for (const kind of ["event", "command", "interaction"] as const) {
        assert.equal(createDelivery(kind, payload, RECEIVED_AT), undefined);
      }
    });
  }
});
