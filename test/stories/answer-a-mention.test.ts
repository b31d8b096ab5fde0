import assert from "node:assert/strict";
import { test } from "node:test";
import { startFakeAgent } from "../fakes/agent/index.ts";
import { startFakeSlack } from "../fakes/slack/index.ts";
import { createTestDatabase } from "../support/database.ts";
import { aHome, socketSlack, startService, untilSettled } from "../support/service.ts";

test("answers a mention in its thread, once, though Slack sends it as two events", async () => {
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
  const asked = slack.mention(teamId, slack.channel.id, "U1", "why is the API slow?");
  await asked.acked;
  await slack.waitForMessages(1);
  await untilSettled(database);

  const answers = slack.answers(teamId, slack.channel.id, asked.ts);
  assert.deepEqual(
    answers.map((answer) => answer.visibleText),
    ["You said: why is the API slow?"],
  );
  assert.equal(agent.requests().length, 1);
});
