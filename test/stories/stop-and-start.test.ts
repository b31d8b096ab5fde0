import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createApp } from "#app";
import { sql } from "kysely";
import { createJobs, createLog, createScrubber } from "#platform";
import { startFakeAgent } from "../fakes/agent/index.ts";
import { startFakeSlack } from "../fakes/slack/index.ts";
import { createTestDatabase, cutConnections, type TestDatabase } from "../support/database.ts";
import { define } from "../support/jobs.ts";
import { configOf } from "../support/service-config.ts";
import {
  aHome,
  socketSlack,
  spawnService,
  startService,
  untilSettled,
} from "../support/service.ts";

describe("A service that stops and starts", { concurrency: 3 }, () => {
  it("stops within 30 s while an agent hangs, and gives the turn to the next replica", async () => {
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
    const asked = slack.mention(slack.workspace.teamId, slack.channel.id, "U1", "take your time");
    await agent.waitForRequest();

    const begunAt = performance.now();
    await first.kill("SIGTERM");
    const stoppedMs = performance.now() - begunAt;
    const { code } = await first.exited;
    await agent.release();
    await using second = spawnService(spec);
    await second.ready;
    await slack.waitForMessages(1);
    await untilSettled(database);

    assert.equal(code, 0);
    assert.ok(stoppedMs < 30_000, `${stoppedMs} ms`);
    const answers = slack.answers(slack.workspace.teamId, slack.channel.id, asked.ts);
    assert.deepEqual(
      answers.map((answer) => answer.visibleText),
      ["You said: take your time"],
    );
  });

  it("goes on by itself when the database cut every connection", async () => {
    await using slack = await startFakeSlack();
    await using agent = await startFakeAgent({});
    await using database = await createTestDatabase();
    using home = aHome();
    await using _service = await startService({
      databaseUrl: database.url,
      home: home.path,
      slack: socketSlack(slack),
      agents: [{ name: "far", endpoint: agent.endpoint }],
    });
    await slack.waitForConnections(2);
    await cutConnections(database);

    const asked = slack.mention(slack.workspace.teamId, slack.channel.id, "U1", "still there?");
    await asked.acked;
    await slack.waitForMessages(1);

    const answers = slack.answers(slack.workspace.teamId, slack.channel.id, asked.ts);
    assert.deepEqual(
      answers.map((answer) => answer.visibleText),
      ["You said: still there?"],
    );
  });

  it("goes on when Slack drops, freezes or renews its sockets", async () => {
    await using slack = await startFakeSlack();
    await using agent = await startFakeAgent({});
    await using database = await createTestDatabase();
    using home = aHome();
    await using _service = await startService({
      databaseUrl: database.url,
      home: home.path,
      slack: socketSlack(slack),
      agents: [{ name: "far", endpoint: agent.endpoint }],
    });
    await slack.waitForConnections(2);
    const { teamId } = slack.workspace;

    slack.sendRaw("null");
    slack.sendRaw("{not json");
    slack.dropConnections();
    const afterDrop = slack.mention(teamId, slack.channel.id, "U1", "after a drop");
    await afterDrop.acked;
    slack.disconnectAll("refresh_requested");
    const afterRenewal = slack.mention(teamId, slack.channel.id, "U1", "after a renewal");
    await afterRenewal.acked;
    await slack.waitForMessages(2);
    await untilSettled(database);

    for (const [asked, text] of [
      [afterDrop, "after a drop"],
      [afterRenewal, "after a renewal"],
    ] as const) {
      const answers = slack.answers(teamId, slack.channel.id, asked.ts);
      assert.deepEqual(
        answers.map((answer) => answer.visibleText),
        [`You said: ${text}`],
      );
    }
  });

  it("gives up a start when it is told to stop, and leaves nothing running", async () => {
    await using database = await createTestDatabase();
    using home = aHome();
    const config = configOf({ databaseUrl: database.url, home: home.path });
    const log = createLog({ level: "silent", format: "json", scrubber: createScrubber() });
    const app = createApp(config, { log });

    const starting = app.start().catch(() => undefined);
    await app.stop();
    await starting;

    assert.throws(() => app.addresses, /has not started|./);
  });

  it("leaves no connection behind when its start fails", async () => {
    await using database = await createTestDatabase();
    using home = aHome();
    const log = createLog({ level: "silent", format: "json", scrubber: createScrubber() });
    // Another build's queue of that name, which cannot be changed.
    const jobs = createJobs({ connection: database.connection, log });
    define(jobs, { name: "answer-message", isOrdered: false, handle: async () => undefined });
    await jobs.start();
    await jobs.stop({ graceMs: 0 });

    const starting = startService({ databaseUrl: database.url, home: home.path });

    await assert.rejects(starting, /answer-message exists with the policy/);
    // The server notices an end a moment later; an idle connection would be closed after ten seconds.
    const signal = AbortSignal.timeout(5_000);
    while ((await countOfService(database)) > 0) signal.throwIfAborted();
  });
});

/** Connections that the service holds. */
async function countOfService({ db }: TestDatabase): Promise<number> {
  const { rows } = await sql`
    select pid from pg_stat_activity
    where datname = current_database() and application_name like 'infragpt%'`.execute(db);
  return rows.length;
}
