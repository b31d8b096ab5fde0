import { SocketModeClient } from "@slack/socket-mode";
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";

import { type FakeSlack, startFakeSlack } from "./index.ts";
import { quietLogger } from "./quiet-logger.ts";

interface Incoming {
  readonly ack: () => Promise<void>;
  readonly body: { readonly event_id: string };
  readonly event: { readonly text?: string; readonly ts: string; readonly type: string };
  readonly retry_num: number;
  readonly retry_reason: string;
}

let slack: FakeSlack;
const clients: SocketModeClient[] = [];

beforeEach(async () => {
  slack = await startFakeSlack({ ackTimeoutMs: 150, retryDelaysMs: [5, 5, 5] });
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.disconnect()));
  await slack[Symbol.asyncDispose]();
});

async function connect(onEvent: (incoming: Incoming) => unknown): Promise<SocketModeClient> {
  const client = new SocketModeClient({
    appToken: slack.appToken,
    logger: quietLogger,
    clientOptions: { slackApiUrl: slack.apiUrl },
    // Also its pause before a new connection.
    clientPingTimeout: 60,
  });
  client.on("slack_event", ({ type, body, ...rest }) => {
    if (type === "events_api") onEvent({ ...rest, body, event: body.event });
  });
  clients.push(client);
  await client.start();
  return client;
}

describe("the fake's Socket Mode", () => {
  it("delivers a mention as two events with one ts", async () => {
    const seen: Incoming["event"][] = [];
    await connect(({ ack, event }) => {
      seen.push(event);
      return ack();
    });

    const sent = slack.mention("T0LOCAL", "C0LOCAL", "U0ALICE", "hello");
    await sent.acked;

    assert.deepEqual(seen.map(({ type }) => type).toSorted(), ["app_mention", "message"]);
    assert.deepEqual(new Set(seen.map(({ ts }) => ts)), new Set([sent.ts]));
    assert.notEqual(sent.events[0]?.eventId, sent.events[1]?.eventId);
    assert.equal(slack.messages()[0]?.text, "<@U0BOT> hello");
  });

  it("delivers again, with a count and a reason, until someone acknowledges", async () => {
    const retries: [number, string][] = [];
    await connect(({ ack, retry_num, retry_reason }) => {
      retries.push([retry_num, retry_reason]);
      return retry_num === 2 ? ack() : undefined;
    });

    const { acked, events } = slack.say("T0LOCAL", "C0LOCAL", "U0ALICE", "hello");
    await acked;

    assert.deepEqual(retries, [
      [0, ""],
      [1, "timeout"],
      [2, "timeout"],
    ]);
    assert.equal(events[0]?.deliveries.length, 3);
    assert.equal(new Set(events[0]?.deliveries.map((d) => d.envelopeId)).size, 3);
  });

  it("tells of one message under several event ids, and shows it once", async () => {
    const ids: string[] = [];
    await connect(({ ack, body }) => {
      ids.push(body.event_id);
      return ack();
    });

    const first = slack.say("T0LOCAL", "C0LOCAL", "U0ALICE", "hello", { eventId: "EvONE" });
    const again = slack.say("T0LOCAL", "C0LOCAL", "U0ALICE", "hello", {
      ts: first.ts,
      eventId: "EvTWO",
    });
    const repeated = slack.say("T0LOCAL", "C0LOCAL", "U0ALICE", "hello", {
      ts: first.ts,
      eventId: "EvTWO",
    });
    await Promise.all([first.acked, again.acked, repeated.acked]);

    assert.deepEqual(ids, ["EvONE", "EvTWO", "EvTWO"]);
    assert.equal(slack.messages().length, 1);
  });

  it("opens direct messages and tells them from channels", async () => {
    const seen: unknown[] = [];
    const client = await connect(() => undefined);
    client.on("message", ({ ack, event }) => {
      seen.push(event.channel, event.channel_type);
      return ack();
    });

    const { acked, channelId } = slack.directMessage("T0LOCAL", "U0ALICE", "psst");
    await acked;

    assert.deepEqual(seen, [channelId, "im"]);
  });

  it("gives up after three retries", async () => {
    await connect(() => undefined);

    const { acked } = slack.say("T0LOCAL", "C0LOCAL", "U0ALICE", "hello");

    await assert.rejects(
      acked,
      /nobody acknowledged Ev\w+ \[0:timeout 1:timeout 2:timeout 3:timeout\]/,
    );
  });

  it("can lose the first attempts", async () => {
    const retries: number[] = [];
    await connect(({ ack, retry_num }) => {
      retries.push(retry_num);
      return ack();
    });

    await slack.say("T0LOCAL", "C0LOCAL", "U0ALICE", "hello", { firstAttempt: 1 }).acked;

    assert.deepEqual(retries, [1]);
  });

  it("holds events back while nobody is connected, in their order", async () => {
    const texts = ["one", "two", "three"];
    const sent = texts.map((text) => slack.say("T0LOCAL", "C0LOCAL", "U0ALICE", text));
    const seen: unknown[] = [];

    await connect(({ ack, event }) => {
      seen.push(event.text);
      return ack();
    });
    await Promise.all(sent.map(({ acked }) => acked));

    assert.deepEqual(seen, texts);
  });

  it("sends each event to one of several connections", async () => {
    const seen: string[] = [];
    for (const name of ["a", "b"]) {
      await connect(({ ack, event }) => {
        seen.push(`${name}:${event.text}`);
        return ack();
      });
    }
    await slack.waitForConnections(2);

    const sent = ["one", "two"].map((text) => slack.say("T0LOCAL", "C0LOCAL", "U0ALICE", text));
    await Promise.all(sent.map(({ acked }) => acked));

    assert.deepEqual(new Set(seen.map((each) => each.at(0))), new Set(["a", "b"]));
    assert.equal(seen.length, 2);
  });

  it("delivers again elsewhere when a connection dies before the acknowledgement", async () => {
    const seen: string[] = [];
    await connect(({ ack, retry_reason }) => {
      seen.push(retry_reason);
      if (seen.length === 1) return slack.dropConnections();
      return ack();
    });

    await slack.say("T0LOCAL", "C0LOCAL", "U0ALICE", "hello").acked;

    assert.deepEqual(seen, ["", "connection_failed"]);
  });

  for (const trouble of ["disconnectAll", "dropConnections", "freeze"] as const) {
    it(`makes the client come back after ${trouble}`, async () => {
      await connect(({ ack }) => ack());
      await slack.waitForConnections(1);

      slack[trouble]();
      await slack.waitForConnections(0);
      await slack.waitForConnections(1);
      await slack.say("T0LOCAL", "C0LOCAL", "U0ALICE", "back again").acked;

      assert.equal(slack.calls("apps.connections.open").length, 2);
    });
  }

  it("takes a slash command's answer with the acknowledgement and at its response url", async () => {
    const client = await connect(() => undefined);
    client.on("slash_commands", ({ ack }) => ack({ text: "at once" }));

    const sent = slack.slashCommand("T0LOCAL", "C0LOCAL", { command: "/infragpt", text: "help" });
    const ack = await sent.acked;
    const statuses: number[] = [];
    for (let use = 1; use <= 6; use += 1) {
      const body = JSON.stringify({ text: `answer ${use}` });
      const headers = { "content-type": "application/json" };
      const response = await fetch(sent.responseUrl, { method: "POST", headers, body });
      statuses.push(response.status);
      await response.body?.cancel();
    }

    assert.deepEqual(ack, { text: "at once" });
    assert.deepEqual(statuses, [200, 200, 200, 200, 200, 404]);
    assert.equal(slack.messages().at(-1)?.ephemeralTo, "U0ALICE");
  });
});
