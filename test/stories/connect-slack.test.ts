import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { sql } from "kysely";
import type { App } from "#app";
import { startFakeClerk, type FakeClerk } from "../fakes/clerk/index.ts";
import { startFakeSlack, type FakeSlack } from "../fakes/slack/index.ts";
import { aConnector, follow, type Connector } from "../support/connecting.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { anOrganization } from "../support/directory.ts";
import { aHome, startService } from "../support/service.ts";
import { untilAsync } from "../support/until.ts";
import { wrongStates } from "../support/wrong-states.ts";

describe("Connecting Slack from nothing", () => {
  let slack: FakeSlack;
  let clerk: FakeClerk;
  let database: TestDatabase;
  let service: App;
  let ana: Connector;
  let bob: Connector;
  let ben: Connector;
  const opened = new AsyncDisposableStack();

  before(async () => {
    slack = opened.use(await startFakeSlack());
    clerk = opened.use(await startFakeClerk());
    database = opened.use(await createTestDatabase());
    const home = opened.use(aHome());
    service = opened.use(
      await startService({
        databaseUrl: database.url,
        home: home.path,
        clerk: { ...clerk, webhookSecrets: [clerk.webhookSecret] },
        slack: {
          apiUrl: slack.apiUrl,
          appToken: slack.appToken,
          clientId: slack.clientId,
          clientSecret: slack.clientSecret,
          authorizeUrl: slack.authorizeUrl,
        },
      }),
    );
    const acme = { id: "org_a", name: "Acme" };
    await anOrganization(service, clerk, acme, { ana: "org:admin", bob: "org:admin" });
    await anOrganization(service, clerk, { id: "org_b", name: "Beta" }, { ben: "org:admin" });
    ana = aConnector(service, () => clerk.mint({ sub: "user_ana", org_id: "org_a" }));
    bob = aConnector(service, () => clerk.mint({ sub: "user_bob", org_id: "org_a" }));
    ben = aConnector(service, () => clerk.mint({ sub: "user_ben", org_id: "org_b" }));
    await slack.waitForConnections(2);
  });
  after(() => opened.disposeAsync());

  async function connect(
    who: Connector,
    teamId: string,
    label?: string,
  ): Promise<Awaited<ReturnType<typeof follow>>> {
    const { url, cookie } = await who.authorize("slack", label);
    return follow(slack.approve(url, { teamId }), cookie);
  }

  async function secretsStored(): Promise<number> {
    const { rows } = await sql<{ n: number }>`
      select count(*)::integer as n from integration_credentials`.execute(database.db);
    return rows[0]!.n;
  }

  it("sends a person to Slack and back, and the workspace is connected", async () => {
    const { url, cookie, state } = await ana.authorize("slack", "Production");
    const asked = new URL(url).searchParams;

    const back = await follow(slack.approve(url), cookie);

    assert.match(state, /^[A-Za-z0-9_-]{43}$/);
    assert.equal(asked.get("redirect_uri"), `${service.addresses.http}/slack`);
    assert.ok(asked.get("scope")?.includes("app_mentions:read"));
    assert.equal(back.status, 303, back.text);
    const [integration] = await ana.integrations();
    assert.ok(integration);
    assert.equal(integration.label, "Production");
    assert.equal(integration.status, "active");
    assert.equal(integration.connector_organization_id, "T0LOCAL");
    assert.equal(integration.bot_id, "U0BOT");
    assert.equal(integration.connector_user_id, "U0OWNER");
    assert.equal(integration.health_status, "healthy");
    assert.equal(integration.credential_type, "oauth2");
    assert.ok(!JSON.stringify(integration).includes("xoxb"));
  });

  it("answers in the workspace at once", async () => {
    const asked = slack.mention("T0LOCAL", "C0LOCAL", "U1", "hello");
    await asked.acked;
    await slack.waitForMessages(1);

    assert.equal(slack.answers("T0LOCAL", "C0LOCAL", asked.ts).length, 1);
  });

  it("connects several workspaces, each under its name", async () => {
    slack.addWorkspace({ teamId: "T0SECOND" });

    const back = await connect(ana, "T0SECOND");

    assert.equal(back.status, 303, back.text);
    const labels = (await ana.integrations()).map((integration) => integration.label);
    assert.deepEqual(labels.toSorted(), ["Production", "Team T0SECOND"]);
  });

  it("renews an account that is connected already instead of a second integration", async () => {
    const earlier = await ana.integrations();

    const back = await connect(bob, "T0LOCAL");

    assert.equal(back.status, 303, back.text);
    const later = await ana.integrations();
    assert.deepEqual(
      later.map(({ id, label }) => ({ id, label })),
      earlier.map(({ id, label }) => ({ id, label })),
    );
  });

  it("refuses a label that another integration has", async () => {
    slack.addWorkspace({ teamId: "T0LABEL" });

    const back = await connect(ana, "T0LABEL", "production");

    assert.equal(back.status, 409);
    assert.equal((await ana.integrations()).length, 2);
  });

  it("refuses a workspace that another organization has connected", async () => {
    const stored = await secretsStored();

    const back = await connect(ben, "T0LOCAL");

    assert.equal(back.status, 409);
    assert.match(back.text, /another organization/);
    assert.deepEqual(await ben.integrations(), []);
    assert.equal(await secretsStored(), stored);
  });

  it("gives one workspace to one of two organizations that come at once", async () => {
    slack.addWorkspace({ teamId: "T0RACE" });
    const first = await ana.authorize("slack");
    const second = await ben.authorize("slack");

    const answers = await Promise.all([
      follow(slack.approve(first.url, { teamId: "T0RACE" }), first.cookie),
      follow(slack.approve(second.url, { teamId: "T0RACE" }), second.cookie),
    ]);

    assert.deepEqual(answers.map(({ status }) => status).toSorted(), [303, 409]);
    const { rows } = await sql`select from integrations
      where connector_organization_id = 'T0RACE' and status <> 'deleted'`.execute(database.db);
    assert.equal(rows.length, 1);
  });

  it("completes for the principal that began, through the API", async () => {
    slack.addWorkspace({ teamId: "T0API" });
    const { url, state } = await ana.authorize("slack", "API");
    const back = new URL(slack.approve(url, { teamId: "T0API" }));

    const { status, body } = await ana.post("/integrations/callback", {
      connector_type: "slack",
      state,
      code: back.searchParams.get("code"),
    });

    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.connector_organization_id, "T0API");
    assert.equal(body.label, "API");
  });

  describe("with a state that is", () => {
    const wrong = [
      ...wrongStates(() => ({
        connectorType: "slack",
        database,
        ana,
        bob,
        ben,
        approve: (url) => slack.approve(url),
        cancel: (url) => slack.cancel(url),
      })),
      ...(["error", "http", "rate_limited", "close_before", "bad_json"] as const).map((kind) => ({
        name: `met by Slack's ${kind}`,
        async arrive() {
          const { url, cookie } = await ana.authorize("slack");
          const fault =
            kind === "error"
              ? { kind, error: "access_denied" }
              : kind === "http"
                ? { kind, status: 500 }
                : kind === "rate_limited"
                  ? { kind, retryAfterSeconds: 1 }
                  : { kind };
          slack.fail("oauth.v2.access", fault);
          return follow(slack.approve(url), cookie);
        },
      })),
      {
        name: "met by an error of auth.test",
        async arrive() {
          const { url, cookie } = await ana.authorize("slack");
          slack.fail("auth.test", { kind: "error", error: "internal_error" });
          return follow(slack.approve(url), cookie);
        },
      },
    ];
    for (const { name, arrive } of wrong) {
      it(`${name} gets a clear 4xx, and nothing is stored`, async () => {
        const earlier = { integrations: await ana.integrations(), secrets: await secretsStored() };

        const { status } = await arrive();

        assert.ok(status >= 400 && status < 500, String(status));
        const now = { integrations: await ana.integrations(), secrets: await secretsStored() };
        assert.deepEqual(now, earlier);
      });
    }

    it("used before connects nothing again, also when both come at once", async () => {
      slack.addWorkspace({ teamId: "T0TWICE" });
      const { url, cookie } = await ana.authorize("slack");
      const back = slack.approve(url, { teamId: "T0TWICE" });

      const answers = await Promise.all([follow(back, cookie), follow(back, cookie)]);
      const late = await follow(back, cookie);

      assert.deepEqual(answers.map(({ status }) => status).toSorted(), [303, 400]);
      assert.equal(late.status, 400);
      const teams = (await ana.integrations()).map((one) => one.connector_organization_id);
      assert.equal(teams.filter((team) => team === "T0TWICE").length, 1);
    });

    it("refused to one person stays good for the one who began", async () => {
      slack.addWorkspace({ teamId: "T0STAYS" });
      const { url, cookie, state } = await ana.authorize("slack");
      const back = slack.approve(url, { teamId: "T0STAYS" });
      const code = new URL(back).searchParams.get("code");
      await ben.post("/integrations/callback", { connector_type: "slack", state, code });

      assert.equal((await follow(back, cookie)).status, 303);
    });
  });

  it("installs on a whole Enterprise Grid organization, which names no team", async () => {
    slack.addWorkspace({
      teamId: "T0GRID",
      enterpriseId: "E0GRID",
      isEnterpriseInstall: true,
    });

    const back = await connect(ana, "T0GRID", "Grid");

    assert.equal(back.status, 303, back.text);
    const grid = (await ana.integrations()).find(({ label }) => label === "Grid")!;
    assert.equal(grid.connector_organization_id, "E0GRID");
    assert.equal(grid.metadata["enterprise_id"], "E0GRID");
  });

  it("stores a token that rotates with its refresh token and its end", async () => {
    slack.addWorkspace({ teamId: "T0ROTATES", rotatesTokens: true });

    await connect(ana, "T0ROTATES", "Rotating");

    const rotating = (await ana.integrations()).find(({ label }) => label === "Rotating")!;
    const hours = (Date.parse(rotating.expires_at ?? "") - Date.now()) / 3_600_000;
    assert.ok(hours > 11.9 && hours <= 12, String(hours));
    const { rows } = await sql<{ credential_type: string }>`
      select credential_type from integration_credentials where integration_id = ${rotating.id}
      order by credential_type`.execute(database.db);
    assert.deepEqual(
      rows.map((row) => row.credential_type),
      ["bot_token", "refresh_token"],
    );
  });

  it("revokes at once here, then at Slack, as often as it takes", async () => {
    slack.addWorkspace({ teamId: "T0REVOKED" });
    await connect(ana, "T0REVOKED", "Revoked");
    const { id } = (await ana.integrations()).find(({ label }) => label === "Revoked")!;
    slack.fail("apps.uninstall", { kind: "http", status: 503 });

    const revoked = await ana.post("/integrations/revoke/", { integration_id: id });
    const stored =
      await sql`select from integration_credentials where integration_id = ${id}`.execute(
        database.db,
      );

    assert.equal(revoked.status, 200);
    assert.equal(stored.rows.length, 0);
    assert.ok(!(await ana.integrations()).some((one) => one.id === id));
    await slack.waitForCalls("apps.uninstall", 2);
    await untilAsync(async () => {
      const left = await sql`select from revocation_credentials`.execute(database.db);
      return left.rows.length === 0;
    });
    const again = await ana.post("/integrations/revoke/", { integration_id: id });
    assert.equal(again.status, 200);
    const foreign = await ben.post("/integrations/revoke/", { integration_id: id });
    assert.equal(foreign.status, 404);
  });

  it("ends a connection at once when the workspace uninstalls the app", async () => {
    slack.addWorkspace({ teamId: "T0GONE" });
    await connect(ana, "T0GONE", "Gone");
    const { id } = (await ana.integrations()).find(({ label }) => label === "Gone")!;

    await slack.sendEvent("T0GONE", { type: "app_uninstalled" }).acked;
    await untilAsync(async () => !(await ana.integrations()).some((one) => one.id === id));

    const { body } = await ana.post("/integrations/status", { integration_id: id });
    assert.equal(body.status, "deleted");
    assert.equal(body.health_status, "revoked");
  });

  it("tells only members who may connect, and keeps every step in the audit log", async () => {
    const { rows } = await sql<{ action: string; n: number }>`
      select body::json ->> 'action' as action, count(*)::integer as n from audit_entries
      where body like '%integration.%' group by 1 order by 1`.execute(database.db);

    const actions = rows.map(({ action }) => action);
    for (const action of [
      "integration.authorize_started",
      "integration.connected",
      "integration.removed",
      "integration.revoked",
    ]) {
      assert.ok(actions.includes(action), `${action} in ${actions.join(", ")}`);
    }
  });
});
