import assert from "node:assert/strict";
import { it } from "node:test";
import { createApp } from "#app";
import { createLog, createScrubber } from "#platform";
import { startFakeClerk } from "../fakes/clerk/index.ts";
import { startFakeGitHub } from "../fakes/github/index.ts";
import { lanternConnectors, startLantern } from "../fakes/lantern/index.ts";
import { startFakeSlack } from "../fakes/slack/index.ts";
import { aConnector, follow } from "../support/connecting.ts";
import { createTestDatabase } from "../support/database.ts";
import { anOrganization } from "../support/directory.ts";
import { dumpOf } from "../support/dump.ts";
import { findSecret } from "../support/find-secret.ts";
import { configOf } from "../support/service-config.ts";
import { aHome } from "../support/service.ts";
import { untilAsync } from "../support/until.ts";

it("shows no secret in the database, the log or an answer, whatever is connected, refused and revoked", async () => {
  await using slack = await startFakeSlack();
  await using github = await startFakeGitHub();
  await using lantern = await startLantern();
  await using clerk = await startFakeClerk();
  await using database = await createTestDatabase();
  using home = aHome();
  const lines: string[] = [];
  const app = createApp(
    {
      ...configOf({
        databaseUrl: database.url,
        home: home.path,
        clerk: { ...clerk, webhookSecrets: [clerk.webhookSecret] },
        slack: { ...slack, transport: "socket" },
        github: { ...github, webhookSecrets: [github.webhookSecret] },
      }),
      logLevel: "trace",
      httpLog: true,
    },
    {
      // It knows shapes of secrets, and none of these values.
      log: createLog({
        level: "trace",
        format: "json",
        scrubber: createScrubber(),
        destination: { write: (line) => lines.push(line) },
      }),
      connectors: lanternConnectors(lantern.apiUrl),
    },
  );
  await app.start();
  const answers: string[] = [];
  await anOrganization(app, clerk, { id: "org_a", name: "Acme" }, { ana: "org:admin" });
  const ana = aConnector(app, () => clerk.mint({ sub: "user_ana", org_id: "org_a" }));
  github.setCallbackUrl(`${app.addresses.http}/integrations/callback/github`);
  github.setReceiver(`${app.addresses.http}/webhooks/github`);
  github.addOrganization("acme", { ana: "admin" });
  github.addRepository("acme/payments");
  slack.addWorkspace({ teamId: "T0ROTATES", rotatesTokens: true });
  const { key } = lantern.addAccount("Acme");

  // Connected, and refused on the way by vendors that repeat what they were sent.
  for (const isWell of [false, true]) {
    if (!isWell) {
      slack.fail("oauth.v2.access", { kind: "error", error: "invalid_code" });
      github.fail("GET /user/installations", { kind: "http", status: 500 });
    }
    const bySlack = await ana.authorize("slack");
    const toSlack = slack.approve(bySlack.url, { teamId: "T0ROTATES" });
    answers.push((await follow(toSlack, bySlack.cookie)).text);
    const byGitHub = await ana.authorize("github");
    const account = isWell ? "acme" : "ana";
    const toGitHub = github.approve(byGitHub.url, { login: "ana", account });
    answers.push((await follow(toGitHub, byGitHub.cookie)).text);
  }
  for (const api_key of [`${key}-wrong`, key]) {
    const { body } = await ana.post("/integrations/authorize", { connector_type: "lantern" });
    const { state } = body;
    const credentials = { api_key, site: "eu" };
    const form = { connector_type: "lantern", state, credentials };
    answers.push(JSON.stringify((await ana.post("/integrations/callback", form)).body));
    const tried = { connector_type: "lantern", credentials };
    answers.push(JSON.stringify((await ana.post("/integrations/validate", tried)).body));
  }
  await untilAsync(async () => lantern.webhooks().length === 1);
  // Used and heard, then given back.
  await github.send(
    "push",
    { ref: "refs/heads/main", marker: "a marker that is no secret" },
    {
      installationId: Number((await ana.integrations())[1]?.connector_organization_id),
    },
  );
  const all = await ana.integrations();
  assert.equal(all.length, 3, JSON.stringify(all));
  for (const { id } of all) {
    await ana.post("/integrations/sync", { integration_id: id });
    answers.push(
      JSON.stringify((await ana.post("/integrations/status", { integration_id: id })).body),
    );
  }
  answers.push(JSON.stringify(await ana.integrations()));
  const openDump = await dumpOf(database.db);
  for (const { id } of all) await ana.post("/integrations/revoke", { integration_id: id });
  await untilAsync(async () => lantern.webhooks().length === 0);
  await app.stop();

  const places = {
    "the database": openDump,
    "the database afterwards": await dumpOf(database.db),
    "the log": Buffer.from(lines.join("")),
    "an answer": Buffer.from(answers.join("\n")),
  };
  const secrets = [
    ...github.secrets(),
    ...lantern.secrets(),
    ...slack.secrets(),
    `${key}-wrong`,
    clerk.webhookSecret,
  ];
  assert.ok(secrets.length > 15, `${secrets.length} secrets`);
  assert.ok(lines.length > 30 && openDump.length > 10_000, "searched next to nothing");
  assert.deepEqual(findSecret(openDump, Buffer.from("a marker that is no secret")), ["plain"]);
  for (const [place, text] of Object.entries(places)) {
    for (const secret of secrets) {
      const found = findSecret(text, Buffer.from(secret));
      assert.deepEqual(found, [], `${place} shows ${secret.slice(0, 12)}…`);
    }
  }
});
