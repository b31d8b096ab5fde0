import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startFakeSlack } from "../../../../test/fakes/slack/index.ts";
import { TestListener } from "./test-listener.ts";

const TEAM = "T0LOCAL";
const CHANNEL = "C0LOCAL";

describe("listening over Socket Mode", () => {
  test("stores what arrives on any link, then acknowledges it", async () => {
    await using slack = await startFakeSlack();
    await using listener = new TestListener(slack);
    await slack.waitForConnections(2);

    const sent = slack.mention(TEAM, CHANNEL, "U1", "why is it slow?");
    await sent.acked;

    assert.equal(listener.deliveries.length, 2);
    const keys = new Set(listener.deliveries.map((delivery) => delivery.messageKey));
    assert.deepEqual([...keys], [`${TEAM}:${CHANNEL}:${sent.ts}`]);
    assert.equal(listener.openLinks, 2);
  });

  test("acknowledges only once a delivery is stored", async () => {
    await using slack = await startFakeSlack({ ackTimeoutMs: 10_000 });
    const storing = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    await using _ = new TestListener(slack, {
      store: () => {
        reached.resolve();
        return storing.promise;
      },
    });
    await slack.waitForConnections(2);

    const sent = slack.say(TEAM, CHANNEL, "U1", "hello");
    await reached.promise;
    // A round trip to Slack behind which an early acknowledgement would have arrived.
    await fetch(new URL("auth.test", slack.apiUrl), { method: "POST" });
    const outcomes = sent.events.flatMap((event) => event.deliveries.map((one) => one.outcome));
    storing.resolve();
    await sent.acked;

    assert.deepEqual(outcomes, ["waiting"]);
  });

  test("does not acknowledge what could not be stored, and takes the repeat", async () => {
    await using slack = await startFakeSlack({ ackTimeoutMs: 50 });
    let isStoreDown = true;
    await using listener = new TestListener(slack, {
      store: async () => {
        if (!isStoreDown) return;
        isStoreDown = false;
        throw new Error("the database is down");
      },
    });
    await slack.waitForConnections(2);

    const sent = slack.say(TEAM, CHANNEL, "U1", "hello");
    await sent.acked;

    const outcomes = sent.events[0]?.deliveries.map((delivery) => delivery.outcome);
    assert.deepEqual(outcomes, ["timeout", "acked"]);
    assert.equal(listener.deliveries.length, 1);
  });

  test("takes a delivery of which only a retry ever arrives", async () => {
    await using slack = await startFakeSlack();
    await using listener = new TestListener(slack);
    await slack.waitForConnections(2);

    await slack.say(TEAM, CHANNEL, "U1", "hello", { firstAttempt: 2 }).acked;

    assert.equal(listener.deliveries.length, 1);
  });

  test("takes commands and clicks", async () => {
    await using slack = await startFakeSlack();
    await using listener = new TestListener(slack);
    await slack.waitForConnections(2);

    await slack.slashCommand(TEAM, CHANNEL, { command: "/infragpt", text: "help" }).acked;
    await slack.interaction(TEAM, CHANNEL, "U1", { type: "block_actions", actions: [] }).acked;

    assert.deepEqual(
      listener.deliveries.map((delivery) => delivery.kind),
      ["command", "interaction"],
    );
  });

  test("no frame that Slack can send ends it", async () => {
    await using slack = await startFakeSlack();
    await using listener = new TestListener(slack);
    await slack.waitForConnections(2);
    const hostile: readonly (string | Buffer)[] = [
      "null",
      "[]",
      "7",
      '"text"',
      "",
      "{",
      "{}",
      Buffer.from([0, 255, 1]),
      '{"type":"events_api"}',
      '{"envelope_id":"e1","type":"events_api"}',
      '{"envelope_id":"e2","type":"events_api","payload":null}',
      '{"envelope_id":"e3","type":"events_api","payload":[]}',
      '{"envelope_id":"e4","type":"events_api","payload":{"type":"app_rate_limited","team_id":"T1"}}',
      '{"envelope_id":"e5","type":"brand_new","payload":{"a":1}}',
      '{"envelope_id":{"a":1},"type":"events_api","payload":{}}',
      '{"envelope_id":"e6","type":"constructor","payload":{"type":"__proto__"}}',
      '{"envelope_id":"e7","type":"interactive","payload":{"type":"block_actions","team":null}}',
      '{"envelope_id":"e8","type":"slash_commands","payload":{"command":["/x"],"team_id":"T1"}}',
      '{"type":"hello","num_connections":"many"}',
      `{"envelope_id":"e9","type":"events_api","payload":${"[".repeat(50_000)}${"]".repeat(50_000)}}`,
    ];

    for (const frame of hostile) slack.sendRaw(frame);
    await slack.say(TEAM, CHANNEL, "U1", "still there?").acked;

    assert.equal(listener.deliveries.length, 1);
    assert.equal(slack.connections, 2);
  });

  test("a frame too large ends its socket and nothing else", async () => {
    await using slack = await startFakeSlack();
    await using listener = new TestListener(slack, { config: { sockets: 1 } });
    await slack.waitForConnections(1);

    slack.sendRaw(`"${"x".repeat(5 * 1024 * 1024)}"`);
    await listener.waitFor("the link to be lost", () => listener.openLinks === 0);
    await listener.waitFor("the link to be back", () => listener.openLinks === 1);
    await slack.say(TEAM, CHANNEL, "U1", "still there?").acked;
  });

  for (const reason of ["warning", "refresh_requested"] as const) {
    test(`opens the next socket before the old one ends: ${reason}`, async () => {
      await using slack = await startFakeSlack({ disconnectGraceMs: 2_000 });
      await using listener = new TestListener(slack, { config: { sockets: 1 } });
      await slack.waitForConnections(1);
      await listener.waitFor("an open link", () => listener.openLinks === 1);

      slack.disconnectAll(reason);
      await slack.waitForConnections(2);
      await slack.waitForConnections(1);
      await slack.say(TEAM, CHANNEL, "U1", "hello").acked;

      const states = listener.reports.map((report) => report.state);
      assert.deepEqual(states, ["connecting", "open"], "the link was never away");
    });
  }

  for (const reason of ["too_many_websockets", "link_disabled"] as const) {
    test(`comes back after ${reason}`, async () => {
      await using slack = await startFakeSlack();
      await using _ = new TestListener(slack);
      await slack.waitForConnections(2);

      slack.disconnectAll(reason);
      await slack.say(TEAM, CHANNEL, "U1", "hello").acked;
    });
  }

  test("what is being stored when its socket ends is stored once and repeated by Slack", async () => {
    await using slack = await startFakeSlack({ ackTimeoutMs: 200 });
    const storing = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    await using listener = new TestListener(slack, {
      store: () => {
        reached.resolve();
        return storing.promise;
      },
    });
    await slack.waitForConnections(2);

    const sent = slack.say(TEAM, CHANNEL, "U1", "hello");
    await reached.promise;
    slack.dropConnections();
    storing.resolve();
    await sent.acked;

    const ids = new Set(listener.deliveries.map((delivery) => delivery.deliveryId));
    assert.equal(ids.size, 1);
  });

  test("notices a link that is half open", async () => {
    await using slack = await startFakeSlack();
    await using listener = new TestListener(slack);
    await slack.waitForConnections(2);

    slack.freeze();
    await slack.waitForConnections(2);
    await slack.say(TEAM, CHANNEL, "U1", "hello").acked;

    const reasons = listener.logged.map(({ facts }) => ("reason" in facts ? facts.reason : ""));
    assert.ok(reasons.includes("no answer to a ping"));
  });

  test("notices that Slack stopped pinging", async () => {
    await using slack = await startFakeSlack({ pingIntervalMs: 300 });
    await using listener = new TestListener(slack, { timings: { serverSilenceMs: 100 } });

    await listener.waitFor("the silence to be noticed", () =>
      listener.logged.some(({ facts }) => "reason" in facts && facts.reason === SILENCE),
    );
  });

  const refusals: readonly (readonly [string | number, RegExp])[] = [
    ["invalid_auth", /invalid_auth/],
    ["internal_error", /internal_error/],
    [500, /HTTP 500/],
    [429, /limits apps\.connections\.open/],
  ];
  for (const [how, detail] of refusals) {
    test(`says that Slack refuses with ${how}, and comes back`, async () => {
      await using slack = await startFakeSlack();
      slack.refuseConnections(how);
      await using listener = new TestListener(slack, { config: { sockets: 1 } });

      await listener.waitFor("the refusal to be reported", () =>
        listener.reports.some((report) => detail.test(report.detail ?? "")),
      );
      assert.equal([...listener.links.values()][0]?.state, "closed");
      slack.refuseConnections("none", 0);
      await slack.waitForConnections(1);
    });
  }

  test("says that too many connections are open, and keeps those it has", async () => {
    await using slack = await startFakeSlack({ connectionsMax: 1 });
    await using listener = new TestListener(slack);

    await listener.waitFor("the refusal to be reported", () =>
      listener.reports.some((report) => report.detail?.includes("too_many_websockets")),
    );
    await slack.say(TEAM, CHANNEL, "U1", "hello").acked;

    assert.equal(listener.deliveries.length, 1);
  });

  test("survives a handshake that is refused", async () => {
    await using slack = await startFakeSlack();
    slack.refuseConnections({ upgradeStatus: 503 }, 3);
    await using listener = new TestListener(slack);

    await listener.waitFor("both links", () => listener.openLinks === 2);
  });

  test("no secret and no ticket is in any report or log", async () => {
    await using slack = await startFakeSlack();
    await using listener = new TestListener(slack);
    await slack.waitForConnections(2);
    slack.refuseConnections({ upgradeStatus: 403 }, 2);
    slack.dropConnections();
    await listener.waitFor("both links", () => slack.connections === 2);
    slack.refuseConnections("invalid_auth", 2);
    slack.dropConnections();
    await slack.say(TEAM, CHANNEL, "U1", "a private text").acked;

    const everything = [
      JSON.stringify(listener.reports),
      ...listener.logged.map((line) => `${line.message} ${describeFacts(line.facts)}`),
    ].join("\n");
    assert.doesNotMatch(everything, /xapp-1|xoxb-|ticket=|a private text/);
  });

  test("stops when told: what is being stored is acknowledged, nothing new is taken", async () => {
    await using slack = await startFakeSlack({ ackTimeoutMs: 300 });
    const storing = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    const listener = new TestListener(slack, {
      store: () => {
        reached.resolve();
        return storing.promise;
      },
    });
    await slack.waitForConnections(2);
    const before = slack.say(TEAM, CHANNEL, "U1", "before");
    await reached.promise;

    const stopped = listener.stop();
    slack.say(TEAM, CHANNEL, "U1", "after").acked.catch(() => {});
    storing.resolve();
    await before.acked;
    await stopped;

    assert.equal(listener.deliveries.length, 1);
    assert.equal(slack.connections, 0);
    assert.deepEqual(
      [...listener.links.values()].map((link) => link.state),
      ["closed", "closed"],
    );
  });

  test("stops within its bounds when storing hangs", async () => {
    await using slack = await startFakeSlack();
    const reached = Promise.withResolvers<void>();
    const listener = new TestListener(slack, {
      timings: { drainMs: 50 },
      store: () => {
        reached.resolve();
        return new Promise(() => {});
      },
    });
    await slack.waitForConnections(2);
    slack.say(TEAM, CHANNEL, "U1", "hello").acked.catch(() => {});
    await reached.promise;

    await listener.stop();

    assert.equal(listener.openLinks, 0);
  });

  test("stops while Slack cannot be reached", async () => {
    await using slack = await startFakeSlack();
    slack.fail("apps.connections.open", { kind: "hang_before" }, { times: 10 });
    const listener = new TestListener(slack);
    await slack.waitForCalls("apps.connections.open", 2);

    await listener.stop();

    assert.equal(listener.openLinks, 0);
  });

  test("takes a delivery as not stored when storing hangs", async () => {
    await using slack = await startFakeSlack({ ackTimeoutMs: 200 });
    let isFirst = true;
    await using listener = new TestListener(slack, {
      timings: { storeTimeoutMs: 50 },
      store: () => {
        if (!isFirst) return Promise.resolve();
        isFirst = false;
        return new Promise(() => {});
      },
    });
    await slack.waitForConnections(2);

    await slack.say(TEAM, CHANNEL, "U1", "hello").acked;

    assert.equal(listener.deliveries.length, 1);
  });

  test("stops reading while very much is being stored, and goes on afterwards", async () => {
    await using slack = await startFakeSlack({ ackTimeoutMs: 15_000 });
    const storing = Promise.withResolvers<void>();
    const full = Promise.withResolvers<void>();
    let waiting = 0;
    await using _ = new TestListener(slack, {
      config: { sockets: 1 },
      store: () => {
        waiting += 1;
        if (waiting === 1_000) full.resolve();
        return storing.promise;
      },
    });
    await slack.waitForConnections(1);

    const sent = Array.from({ length: 3_000 }, (__, index) =>
      slack.say(TEAM, CHANNEL, "U1", `message ${index}`),
    );
    await full.promise;
    storing.resolve();
    await Promise.all(sent.map((one) => one.acked));

    assert.equal(waiting, 3_000);
  });

  test("takes a thousand events at once without losing one", async () => {
    await using slack = await startFakeSlack({ ackTimeoutMs: 10_000 });
    await using listener = new TestListener(slack);
    await slack.waitForConnections(2);

    const sent = Array.from({ length: 1_500 }, (_, index) =>
      slack.say(TEAM, CHANNEL, "U1", `message ${index}`),
    );
    await Promise.all(sent.map((one) => one.acked));

    assert.equal(new Set(listener.deliveries.map((one) => one.deliveryId)).size, 1_500);
  });
});

const SILENCE = "Slack stopped pinging";

function describeFacts(facts: object): string {
  return Object.values(facts)
    .map((fact: unknown) =>
      fact instanceof Error ? `${fact.message} ${String(fact.cause)}` : String(fact),
    )
    .join(" ");
}
