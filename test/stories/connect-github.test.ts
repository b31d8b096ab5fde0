import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { sql } from "kysely";
import type { FakeGitHub } from "../fakes/github/index.ts";
import { follow, type IntegrationJson } from "../support/connecting.ts";
import { startGitHubWorld, type GitHubWorld } from "../support/github-world.ts";
import { untilAsync } from "../support/until.ts";
import { answerIn, wrongStates } from "../support/wrong-states.ts";

describe("Connecting GitHub from nothing", () => {
  let world: GitHubWorld;
  let github: FakeGitHub;

  before(async () => {
    world = await startGitHubWorld({ pageSizeMax: 20 });
    ({ github } = world);
  });
  after(() => world[Symbol.asyncDispose]());

  async function integrationOf(account: string): Promise<IntegrationJson> {
    const all = await world.ana.integrations();
    const found = all.find(({ metadata }) => metadata["account_login"] === account);
    assert.ok(found, `${account} is not among ${JSON.stringify(all)}`);
    return found;
  }

  async function beginInstalled(): Promise<{ readonly url: string; readonly cookie: string }> {
    const body = { connector_type: "github", label: crypto.randomUUID() };
    const answer = await world.ana.post("/integrations/authorize", body);
    return { url: answer.body.installed_url, cookie: answer.cookie };
  }

  async function repositoriesOf({ id }: IntegrationJson): Promise<readonly string[]> {
    const { rows } = await sql<{ name: string }>`
      select name from integration_resources where integration_id = ${id} order by name`.execute(
      world.database.db,
    );
    return rows.map(({ name }) => name);
  }

  async function refuse(
    installationId: number,
    as: { readonly login: string; readonly account: string },
  ): Promise<string> {
    const { url, cookie } = await world.ana.authorize("github");
    const back = new URL(github.approve(url, as));
    back.searchParams.set("installation_id", String(installationId));
    const earlier = await world.ana.integrations();
    const { status, text } = await follow(back.href, cookie);
    assert.equal(status, 400, text);
    assert.deepEqual(await world.ana.integrations(), earlier);
    return text;
  }

  it("sends a person to install the app and back, and the account is connected", async () => {
    const account = world.anAccount();
    const { url, cookie, state } = await world.ana.authorize("github", "Production");
    const asked = new URL(url);

    const back = await follow(github.approve(url, { login: "ana", account }), cookie);

    assert.equal(asked.searchParams.get("state"), state);
    assert.match(asked.pathname, /\/infragpt-test\/installations\/new$/);
    assert.equal(back.status, 303, back.text);
    const integration = await integrationOf(account);
    assert.equal(integration.label, "Production");
    assert.equal(integration.status, "active");
    assert.equal(integration.health_status, "healthy");
    assert.equal(integration.credential_type, "token");
    assert.equal(integration.bot_id, "infragpt-test[bot]");
    assert.equal(integration.connector_user_id, String(github.addUser("ana").id));
    assert.equal(
      github.installation(Number(integration.connector_organization_id))?.account,
      account,
    );
  });

  it("stores nothing secret, and ends the person's token at once", async () => {
    const { rows } = await sql`select from integration_credentials`.execute(world.database.db);

    assert.equal(rows.length, 0);
    assert.equal(github.calls("DELETE /applications/{client_id}/token").length, 1);
  });

  it("lists the repositories that are shared, through all pages, with a token that may list only", async () => {
    const account = world.anAccount();
    for (let index = 0; index < 45; index += 1) github.addRepository(`${account}/service-${index}`);

    await world.connect(world.ana, account);

    const integration = await integrationOf(account);
    await untilAsync(async () => (await repositoriesOf(integration)).length === 46);
    const installationId = Number(integration.connector_organization_id);
    const asked = github.tokenRequests().filter((one) => one.installationId === installationId);
    assert.deepEqual(
      asked.map(({ permissions }) => permissions),
      [{ metadata: "read" }],
    );
  });

  it("connects a person's own account", async () => {
    github.addRepository("ana/dotfiles");

    const back = await world.connect(world.ana, "ana", { label: "Ana's own" });

    assert.equal(back.status, 303, back.text);
    assert.equal((await integrationOf("ana")).metadata["account_type"], "User");
  });

  it("completes for the principal that began, through the API", async () => {
    const account = world.anAccount();
    const { url, state } = await world.ana.authorize("github", "API");
    const back = github.approve(url, { login: "ana", account });

    const { status, body } = await world.ana.post("/integrations/callback", {
      connector_type: "github",
      state,
      ...answerIn(back),
    });

    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.metadata["account_login"], account);
    assert.equal(body.label, "API");
  });

  describe("refuses an installation that is not the person's to connect:", () => {
    it("one that they cannot see", async () => {
      github.addOrganization("secretive", { zoe: "admin" });
      github.addRepository("secretive/vault");
      const text = await refuse(github.install("secretive"), {
        login: "ana",
        account: world.anAccount(),
      });

      assert.match(text, /not one that the person/);
    });

    it("one of an organization where they are a member", async () => {
      github.addOrganization("employer", { zoe: "admin", ana: "member" });
      github.addRepository("employer/shop");
      const text = await refuse(github.install("employer"), {
        login: "ana",
        account: world.anAccount(),
      });

      assert.match(text, /Only an owner of employer/);
    });

    it("one of which they see a single repository", async () => {
      github.addOrganization("customer", { zoe: "admin" });
      github.addRepository("customer/shared", { collaborators: { ana: "read" } });
      const text = await refuse(github.install("customer"), {
        login: "ana",
        account: world.anAccount(),
      });

      assert.match(text, /Only an owner of customer/);
    });

    it("one that does not say who owns the organization", async () => {
      github.addOrganization("silent", { ana: "admin" });
      github.addRepository("silent/shop");
      const installationId = github.install("silent", { permissions: { contents: "read" } });
      const text = await refuse(installationId, { login: "ana", account: world.anAccount() });

      assert.match(text, /Members \(read\)/);
    });

    it("one that is suspended", async () => {
      const account = world.anAccount();
      const installationId = github.install(account);
      await github.suspend(installationId);
      const text = await refuse(installationId, { login: "ana", account: world.anAccount() });

      assert.match(text, /suspended/);
    });

    for (const forged of ["0", "-1", "1e3", "../1", "99999999999999999999", "7/access_tokens"]) {
      it(`one with the id ${forged}`, async () => {
        const { url, cookie } = await world.ana.authorize("github");
        const back = new URL(github.approve(url, { login: "ana", account: world.anAccount() }));
        back.searchParams.set("installation_id", forged);

        const { status } = await follow(back.href, cookie);

        assert.equal(status, 400);
      });
    }
  });

  it("refuses an installation that another organization has connected", async () => {
    const account = world.anAccount();
    await world.connect(world.ana, account);
    const { connector_organization_id: id } = await integrationOf(account);
    const { url, cookie } = await world.ben.authorize("github");
    const back = new URL(github.approve(url, { login: "ana", account: world.anAccount() }));
    back.searchParams.set("installation_id", id);

    const { status, text } = await follow(back.href, cookie);

    assert.equal(status, 409);
    assert.match(text, /another organization/);
    assert.deepEqual(await world.ben.integrations(), []);
  });

  it("gives one installation to one of two organizations that come at once", async () => {
    const account = world.anAccount();
    const installationId = String(github.install(account));
    const begun = await Promise.all([world.ana, world.ben].map((who) => who.authorize("github")));

    const answers = await Promise.all(
      begun.map(({ url, cookie }) => {
        const back = new URL(github.approve(url, { login: "ana", account: world.anAccount() }));
        back.searchParams.set("installation_id", installationId);
        return follow(back.href, cookie);
      }),
    );

    assert.deepEqual(answers.map(({ status }) => status).toSorted(), [303, 409]);
    const { rows } = await sql`select from integrations
      where connector_organization_id = ${installationId} and status <> 'deleted'`.execute(
      world.database.db,
    );
    assert.equal(rows.length, 1);
  });

  describe("where the app is installed already", () => {
    it("connects the one account that is the person's", async () => {
      github.addOrganization("settled", { olga: "admin" });
      github.addOrganization("elsewhere", { zoe: "admin", olga: "member" });
      for (const login of ["settled", "elsewhere"]) {
        github.addRepository(`${login}/shop`);
        github.install(login);
      }
      const { url, cookie } = await beginInstalled();

      const back = await follow(github.approve(url, { login: "olga" }), cookie);

      assert.equal(back.status, 303, back.text);
      assert.equal((await integrationOf("settled")).status, "active");
    });

    it("asks for a choice where several are, and names them", async () => {
      for (const login of ["first", "second"]) {
        github.addOrganization(login, { petra: "admin" });
        github.addRepository(`${login}/shop`);
        github.install(login);
      }
      const { url, cookie } = await beginInstalled();

      const back = await follow(github.approve(url, { login: "petra" }), cookie);

      assert.equal(back.status, 400);
      assert.match(back.text, /first, second/);
    });

    it("says so where none is, such as when an owner was only asked to install it", async () => {
      github.addOrganization("waiting", { zoe: "admin", quinn: "member" });
      github.addRepository("waiting/shop");
      const { url, cookie } = await world.ana.authorize("github");

      const asked = github.approve(url, { login: "quinn", account: "waiting" });
      const back = await follow(asked, cookie);

      assert.equal(back.status, 400);
      assert.match(back.text, /no account that you own/);
    });
  });

  it("follows an account that is called otherwise now", async () => {
    const account = world.anAccount();
    await world.connect(world.ana, account);
    const { id } = await integrationOf(account);
    await sql`
      update integrations set metadata = metadata || '{"account_login": "former"}'
      where id = ${id}`.execute(world.database.db);

    await world.ana.post("/integrations/sync", { integration_id: id });

    assert.equal((await integrationOf(account)).id, id);
  });

  describe("with a state that is", () => {
    const vendorTroubles = [
      { name: "http 500", fault: { kind: "http", status: 500 } },
      { name: "a limit", fault: { kind: "secondary_limit", retryAfterSeconds: 1 } },
      { name: "no JSON", fault: { kind: "bad_json" } },
      { name: "a cut connection", fault: { kind: "close_after_performing" } },
    ] as const;
    const routes = [
      "POST /login/oauth/access_token",
      "GET /user/installations",
      "GET /app/installations/{installation_id}",
    ];
    const wrong = [
      ...wrongStates(() => ({
        ...world,
        connectorType: "github",
        approve: (url) => github.approve(url, { login: "ana", account: world.anAccount() }),
        cancel: (url) => github.cancel(url),
      })),
      ...routes.flatMap((route) =>
        vendorTroubles.map(({ name, fault }) => ({
          name: `met by ${name} of ${route}`,
          async arrive() {
            const { url, cookie } = await world.ana.authorize("github");
            const back = github.approve(url, { login: "ana", account: world.anAccount() });
            github.fail(route, fault);
            try {
              return await follow(back, cookie);
            } finally {
              github.clearFaults();
            }
          },
        })),
      ),
    ];
    for (const { name, arrive } of wrong) {
      it(`${name} gets a clear 4xx, and nothing is stored`, async () => {
        const earlier = await world.ana.integrations();

        const { status } = await arrive();

        assert.ok(status >= 400 && status < 500, String(status));
        assert.deepEqual(await world.ana.integrations(), earlier);
      });
    }

    it("used before connects nothing again, also when both come at once", async () => {
      const account = world.anAccount();
      const { url, cookie } = await world.ana.authorize("github");
      const back = github.approve(url, { login: "ana", account });

      const answers = await Promise.all([follow(back, cookie), follow(back, cookie)]);
      const late = await follow(back, cookie);

      assert.deepEqual(answers.map(({ status }) => status).toSorted(), [303, 400]);
      assert.equal(late.status, 400);
    });
  });

  it("uninstalls the app at GitHub when it is revoked here, as often as it takes", async () => {
    const account = world.anAccount();
    await world.connect(world.ana, account);
    const { id, connector_organization_id: installation } = await integrationOf(account);
    github.fail("DELETE /app/installations/{installation_id}", { kind: "http", status: 503 });

    const { status } = await world.ana.post("/integrations/revoke/", { integration_id: id });

    assert.equal(status, 200);
    assert.ok(!(await world.ana.integrations()).some((one) => one.id === id));
    await untilAsync(async () => github.installation(Number(installation)) === undefined);
  });

  it("connects an account again after it was revoked", async () => {
    const account = world.anAccount();
    await world.connect(world.ana, account, { label: "Again" });
    const { id } = await integrationOf(account);
    await world.ana.post("/integrations/revoke", { integration_id: id });
    await github.waitForCalls("DELETE /app/installations/{installation_id}", 3);

    const back = await world.connect(world.ana, account, { label: "Again" });

    assert.equal(back.status, 303, back.text);
    assert.notEqual((await integrationOf(account)).id, id);
  });

  it("shows a permission that was not granted, and who must accept it", async () => {
    const account = world.anAccount();
    const { url, cookie } = await world.ana.authorize("github");
    const permissions = { contents: "read", members: "read", metadata: "read" };
    await follow(github.approve(url, { login: "ana", account, permissions }), cookie);
    const { id } = await integrationOf(account);

    await world.ana.post("/integrations/sync/", { integration_id: id });
    const { body } = await world.ana.post("/integrations/status/", { integration_id: id });

    assert.equal(body.health_status, "degraded");
    assert.deepEqual(body.health.missing_permissions, [
      "actions:read",
      "deployments:read",
      "issues:read",
      "pull_requests:read",
    ]);
  });
});
