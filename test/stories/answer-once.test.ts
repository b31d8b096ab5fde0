import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { App } from "#app";
import { LOCAL_ORGANIZATION_ID } from "#identity";
import { Secret } from "#platform";
import { startFakeAgent, type FakeAgent } from "../fakes/agent/index.ts";
import { startFakeSlack, type FakeSlack } from "../fakes/slack/index.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { aHome, socketSlack, startService, untilSettled } from "../support/service.ts";

describe("One visible answer per message", () => {
  let slack: FakeSlack;
  let agent: FakeAgent;
  let database: TestDatabase;
  let service: App;
  const opened = new AsyncDisposableStack();

  before(async () => {
    slack = opened.use(await startFakeSlack());
    agent = opened.use(await startFakeAgent({}));
    database = opened.use(await createTestDatabase());
    const home = opened.use(aHome());
    service = opened.use(
      await startService({
        databaseUrl: database.url,
        home: home.path,
        slack: socketSlack(slack),
        agents: [{ name: "far", endpoint: agent.endpoint }],
      }),
    );
    await slack.waitForConnections(2);
  });
  after(async () => {
    // The turn that hangs would hold the graceful stop for its whole grace.
    await agent.kill();
    await opened.disposeAsync();
  });

  function visible(channelId: string, threadTs: string, teamId = slack.workspace.teamId): string[] {
    return slack.answers(teamId, channelId, threadTs).map((answer) => answer.visibleText);
  }

  it("answers when the mention arrives as `message` only", async () => {
    const asked = slack.mention(slack.workspace.teamId, slack.channel.id, "U1", "one", {
      as: "message",
    });
    await asked.acked;
    await untilSettled(database);

    assert.deepEqual(visible(slack.channel.id, asked.ts), ["You said: one"]);
  });

  it("answers when only a retry of the event ever arrives", async () => {
    const asked = slack.mention(slack.workspace.teamId, slack.channel.id, "U1", "two", {
      firstAttempt: 2,
    });
    await asked.acked;
    await untilSettled(database);

    assert.deepEqual(visible(slack.channel.id, asked.ts), ["You said: two"]);
  });

  it("answers once when Slack sends one event again under the same id and under another", async () => {
    const { teamId } = slack.workspace;
    const asked = slack.mention(teamId, slack.channel.id, "U1", "three", { eventId: "EvTHREE" });
    const again = slack.mention(teamId, slack.channel.id, "U1", "three", {
      ts: asked.ts,
      eventId: "EvTHREE",
    });
    const other = slack.mention(teamId, slack.channel.id, "U1", "three", {
      ts: asked.ts,
      eventId: "EvOTHER",
    });
    await Promise.all([asked.acked, again.acked, other.acked]);
    await untilSettled(database);

    assert.deepEqual(visible(slack.channel.id, asked.ts), ["You said: three"]);
  });

  it("answers each of two workspaces that have the same channel id and ts", async () => {
    const second = slack.addWorkspace({ teamId: "T0SECOND" });
    slack.addChannel("T0SECOND", { id: slack.channel.id });
    await service.connect(
      {
        organizationId: LOCAL_ORGANIZATION_ID,
        connectorId: "slack",
        credentials: { bot_token: new Secret(second.botToken) },
      },
      { signal: AbortSignal.timeout(10_000) },
    );
    const first = slack.mention(slack.workspace.teamId, slack.channel.id, "U1", "same");
    const twin = slack.mention("T0SECOND", slack.channel.id, "U2", "same", { ts: first.ts });
    await Promise.all([first.acked, twin.acked]);
    await untilSettled(database);

    assert.deepEqual(visible(slack.channel.id, first.ts), ["You said: same"]);
    assert.deepEqual(visible(slack.channel.id, first.ts, "T0SECOND"), ["You said: same"]);
  });

  it("stays silent for plain messages, edits, joins and its own posts", async () => {
    const { teamId } = slack.workspace;
    const asked = agent.requests().length;
    const plain = slack.say(teamId, slack.channel.id, "U1", "nobody asked you");
    const joined = slack.say(teamId, slack.channel.id, "U1", "joined", {
      extra: { subtype: "channel_join" },
    });
    await Promise.all([plain.acked, joined.acked]);
    await untilSettled(database);

    assert.equal(agent.requests().length, asked);
    assert.deepEqual(visible(slack.channel.id, plain.ts), []);
  });

  it("keeps twenty messages of one thread in order while another thread hangs", async () => {
    const { teamId } = slack.workspace;
    const hanging = slack.mention(teamId, slack.channel.id, "U1", "hang #other-thread");
    await agent.waitForRequest((request) => request.text.startsWith("hang #other-thread"));
    const root = slack.mention(teamId, slack.channel.id, "U1", "message 0");
    await root.acked;
    for (let index = 1; index < 20; index += 1) {
      const said = slack.say(teamId, slack.channel.id, "U1", `message ${index}`, {
        threadTs: root.ts,
      });
      await said.acked;
    }
    await slack.waitForMessages(
      () => slack.answers(teamId, slack.channel.id, root.ts).length === 20,
    );

    const expected = Array.from({ length: 20 }, (_, index) => `You said: message ${index}`);
    assert.deepEqual(visible(slack.channel.id, root.ts), expected);
    assert.deepEqual(visible(slack.channel.id, hanging.ts), []);
  });
});
