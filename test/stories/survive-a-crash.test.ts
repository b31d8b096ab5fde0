import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startFakeAgent } from "../fakes/agent/index.ts";
import { startFakeSlack, type FakeSlack } from "../fakes/slack/index.ts";
import { createTestDatabase } from "../support/database.ts";
import { aHome, socketSlack, spawnService, untilSettled } from "../support/service.ts";

const FAILPOINTS = ["ingested", "leased", "agent_answered", "posted", "marked"] as const;
// The heartbeat of a killed replica must lapse before its jobs are taken over.
const TAKEOVER_MS = 60_000;

function answersTo(slack: FakeSlack, ts: string): readonly string[] {
  return slack
    .answers(slack.workspace.teamId, slack.channel.id, ts)
    .map((answer) => answer.visibleText);
}

// Most of the time is spent waiting for a dead replica's jobs: the stories wait side by side.
describe("A killed service", { concurrency: 4 }, () => {
  for (const failpoint of FAILPOINTS) {
    test(`loses nothing and repeats nothing when killed at ${failpoint}`, async () => {
      await using slack = await startFakeSlack();
      await using agent = await startFakeAgent({});
      await using database = await createTestDatabase();
      using home = aHome();
      const spec = {
        databaseUrl: database.url,
        home: home.path,
        slack: socketSlack(slack),
        agents: [{ name: "far", endpoint: agent.endpoint }],
      };
      await using doomed = spawnService({ ...spec, failpoint });
      await doomed.ready;
      await slack.waitForConnections(2);

      const asked = slack.mention(
        slack.workspace.teamId,
        slack.channel.id,
        "U1",
        `at ${failpoint}`,
      );
      const { signal } = await doomed.exited;
      await using next = spawnService(spec);
      await next.ready;
      await asked.acked;
      await slack.waitForMessages(1, { timeoutMs: TAKEOVER_MS });
      await untilSettled(database, TAKEOVER_MS);

      assert.equal(signal, "SIGKILL");
      assert.deepEqual(answersTo(slack, asked.ts), [`You said: at ${failpoint}`]);
    });
  }

  test("loses nothing when killed right after it acknowledged", async () => {
    await using slack = await startFakeSlack();
    await using agent = await startFakeAgent({});
    await using database = await createTestDatabase();
    using home = aHome();
    const spec = {
      databaseUrl: database.url,
      home: home.path,
      slack: socketSlack(slack),
      agents: [{ name: "far", endpoint: agent.endpoint }],
    };
    await using doomed = spawnService(spec);
    await doomed.ready;
    await slack.waitForConnections(2);
    using _kill = slack.onAck(() => process.kill(doomed.pid, "SIGKILL"));

    const asked = slack.mention(slack.workspace.teamId, slack.channel.id, "U1", "acknowledged");
    await doomed.exited;
    _kill[Symbol.dispose]();
    await using next = spawnService(spec);
    await next.ready;
    await slack.waitForMessages(1, { timeoutMs: TAKEOVER_MS });
    await untilSettled(database, TAKEOVER_MS);

    assert.deepEqual(answersTo(slack, asked.ts), ["You said: acknowledged"]);
  });

  test("a replica takes over the turn of another that was killed", async () => {
    await using slack = await startFakeSlack();
    await using agent = await startFakeAgent({});
    await using database = await createTestDatabase();
    using home = aHome();
    const spec = {
      databaseUrl: database.url,
      home: home.path,
      slack: socketSlack(slack),
      agents: [{ name: "far", endpoint: agent.endpoint }],
    };
    await using first = spawnService(spec);
    await first.ready;
    await slack.waitForConnections(2);
    await agent.pause();
    const asked = slack.mention(slack.workspace.teamId, slack.channel.id, "U1", "who answers?");
    await agent.waitForRequest();
    await using second = spawnService(spec);
    await second.ready;
    await slack.waitForConnections(4);

    await first.kill();
    await agent.release();
    await slack.waitForMessages(1, { timeoutMs: TAKEOVER_MS });
    await untilSettled(database, TAKEOVER_MS);

    assert.deepEqual(answersTo(slack, asked.ts), ["You said: who answers?"]);
  });
});
