import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { App } from "#app";
import { startFakeAgent } from "../fakes/agent/index.ts";
import { startFakeSlack, type FakeSlack } from "../fakes/slack/index.ts";
import { createTestDatabase, cutConnections, type TestDatabase } from "../support/database.ts";
import type { ServiceSpec } from "../support/service-config.ts";
import {
  aHome,
  aServiceToken,
  socketSlack,
  startService,
  untilSettled,
} from "../support/service.ts";

const ROUNDS = 3;
const MENTIONS_A_ROUND = 8;
const PATHS = ["/readyz", "/api/v1/me", "/api/v1/members", "/api/v1/audit"];
const REQUESTS = Array.from({ length: 8 }, () => PATHS).flat();

// What nobody handles fails these tests by itself: the runner reports it.
describe("A service whose database cuts every connection in the middle of its work", () => {
  it("answers every mention once that came over a socket, and every request", () =>
    answersEverything("socket"));

  it("answers every mention once that came as a webhook, and every request", () =>
    answersEverything("http"));
});

async function answersEverything(transport: "socket" | "http"): Promise<void> {
  await using slack = await startFakeSlack();
  await using agent = await startFakeAgent({});
  await using database = await createTestDatabase();
  using home = aHome();
  await using service = await startService({
    databaseUrl: database.url,
    home: home.path,
    slack: transport === "socket" ? socketSlack(slack) : webhookSlack(slack),
    agents: [{ name: "far", endpoint: agent.endpoint }],
  });
  if (transport === "socket") await slack.waitForConnections(2);
  else deliverWebhooks(slack, service);
  const token = await aServiceToken(service, ["member:read", "audit:read"]);
  const texts: string[] = [];
  const statuses: number[] = [];

  for (let round = 0; round < ROUNDS; round += 1) {
    const asked = Array.from({ length: MENTIONS_A_ROUND }, (_, index) => {
      const text = `question ${round}.${index}`;
      texts.push(text);
      return slack.mention(slack.workspace.teamId, slack.channel.id, "U1", text);
    });
    const [answered] = await Promise.all([
      Promise.all(REQUESTS.map((path) => ask(service, path, token))),
      cutInUse(database, service, token),
      ...asked.map(({ acked }) => acked),
    ]);
    statuses.push(...answered);
  }
  await untilSettled(database);
  const last = await Promise.all(PATHS.map((path) => ask(service, path, token)));

  const answers = slack.answers().map(({ visibleText }) => visibleText);
  assert.deepEqual(answers.toSorted(), texts.map((text) => `You said: ${text}`).toSorted());
  assert.deepEqual(
    statuses.filter((status) => ![200, 500, 503].includes(status)),
    [],
  );
  assert.deepEqual(new Set(last), new Set([200]));
}

/** Cuts every connection until at least one of them was in use. */
async function cutInUse(database: TestDatabase, service: App, token: string): Promise<void> {
  let inUse = 0;
  while (inUse === 0) {
    [inUse] = await Promise.all([cutConnections(database), ask(service, "/readyz", token)]);
  }
}

function webhookSlack(slack: FakeSlack): NonNullable<ServiceSpec["slack"]> {
  const { apiUrl, signingSecret, workspace } = slack;
  return { apiUrl, signingSecret, botToken: workspace.botToken, transport: "http" };
}

function deliverWebhooks(slack: FakeSlack, service: App): void {
  const { http } = service.addresses;
  slack.deliverTo({
    eventsUrl: `${http}/slack/events`,
    interactivityUrl: `${http}/slack/interactivity`,
    commandsUrl: `${http}/slack/commands`,
  });
}

async function ask(service: App, path: string, token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${service.addresses.http}${path}`, { headers });
  await answer.arrayBuffer();
  return answer.status;
}
