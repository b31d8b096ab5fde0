import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { sql } from "kysely";
import type { App } from "#app";
import { startFakeClerk, type FakeClerk } from "../fakes/clerk/index.ts";
import { lanternConnectors, startLantern, type Lantern } from "../fakes/lantern/index.ts";
import { aConnector, type Connector, type IntegrationJson } from "../support/connecting.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { anOrganization } from "../support/directory.ts";
import { aHome, startService } from "../support/service.ts";
import { untilAsync } from "../support/until.ts";

interface FormJson {
  readonly type: string;
  readonly state: string;
  readonly fields: readonly { readonly name: string; readonly secret: boolean }[];
  readonly setup?: readonly { readonly name: string; readonly value: string }[];
}

async function open(who: Connector, connector: string, label?: string): Promise<FormJson> {
  const { status, body } = await who.post("/integrations/authorize", {
    connector_type: connector,
    ...(label === undefined ? {} : { label }),
  });
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

function send(
  who: Connector,
  connector: string,
  { state }: FormJson,
  credentials: Readonly<Record<string, string>>,
) {
  return who.post("/integrations/callback", { connector_type: connector, state, credentials });
}

describe("Connecting by a form", () => {
  let lantern: Lantern;
  let clerk: FakeClerk;
  let database: TestDatabase;
  let service: App;
  let ana: Connector;
  let ben: Connector;
  let mia: Connector;
  const opened = new AsyncDisposableStack();

  before(async () => {
    lantern = opened.use(await startLantern());
    clerk = opened.use(await startFakeClerk());
    database = opened.use(await createTestDatabase());
    const home = opened.use(aHome());
    const spec = {
      databaseUrl: database.url,
      home: home.path,
      clerk: { ...clerk, webhookSecrets: [clerk.webhookSecret] },
    };
    const connectors = lanternConnectors(lantern.apiUrl);
    service = opened.use(await startService(spec, { connectors }));
    const acme = { id: "org_a", name: "Acme" };
    await anOrganization(service, clerk, acme, { ana: "org:admin", mia: "org:member" });
    await anOrganization(service, clerk, { id: "org_b", name: "Beta" }, { ben: "org:admin" });
    ana = aConnector(service, () => clerk.mint({ sub: "user_ana", org_id: "org_a" }));
    mia = aConnector(service, () => clerk.mint({ sub: "user_mia", org_id: "org_a" }));
    ben = aConnector(service, () => clerk.mint({ sub: "user_ben", org_id: "org_b" }));
  });
  after(() => opened.disposeAsync());

  async function connect(key: string, label: string): Promise<IntegrationJson> {
    const form = await open(ana, "lantern", label);
    const { status, body } = await send(ana, "lantern", form, { api_key: key, site: "eu" });
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  }

  async function namesOf(integrationId: string): Promise<readonly string[]> {
    const { rows } = await sql<{ name: string }>`
      select credential_type as name from integration_credentials
      where integration_id = ${integrationId} order by 1`.execute(database.db);
    return rows.map(({ name }) => name);
  }

  async function untilSetUp(integrationId: string): Promise<void> {
    await untilAsync(async () => (await namesOf(integrationId)).includes("webhook_secret"));
  }

  async function validate(credentials: Readonly<Record<string, string>>) {
    const { body } = await ana.post("/integrations/validate", {
      connector_type: "lantern",
      credentials,
    });
    return body;
  }

  async function stored(): Promise<unknown> {
    const { rows } = await sql<{ n: number }>`
      select (select count(*) from integration_credentials
          where credential_type <> 'webhook_secret')::integer as secrets,
        (select count(*) from integrations)::integer as integrations`.execute(database.db);
    return rows[0];
  }

  it("says which fields there are, and keeps what was typed in sealed", async () => {
    const { key, id } = lantern.addAccount("Acme");
    const form = await open(ana, "lantern", "Production");

    const { status, body } = await send(ana, "lantern", form, { api_key: ` ${key}\n`, site: "eu" });

    assert.equal(form.type, "api_key");
    assert.deepEqual(
      form.fields.map(({ name, secret }) => [name, secret]),
      [
        ["api_key", true],
        ["site", false],
        ["note", false],
      ],
    );
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.connector_organization_id, id);
    assert.equal(body.credential_type, "api_key");
    assert.equal(body.label, "Production");
    assert.ok(!JSON.stringify(body).includes(key));
  });

  it("prepares the account at the vendor, with an address and a secret of its own", async () => {
    const { key } = lantern.addAccount("Staging");

    const { id } = await connect(key, "Staging");

    await untilSetUp(id);
    const [hook] = lantern.webhooks().filter(({ url }) => url.endsWith(id));
    assert.equal(hook?.url, `${service.addresses.http}/webhooks/lantern/${id}`);
  });

  it("hears of each account at its own address, and refuses another's signature there", async () => {
    const [first, second] = await Promise.all(
      ["One", "Two"].map(async (name) => {
        const { id } = await connect(lantern.addAccount(name).key, name);
        await untilSetUp(id);
        return lantern.webhooks().find(({ url }) => url.endsWith(id))!;
      }),
    );
    const body = JSON.stringify({ id: "a2", title: "Fire" });

    const heard = await lantern.ring(first!.id, { id: "a1", title: "Smoke" });
    const foreign = await fetch(second!.url, {
      method: "POST",
      body,
      headers: lantern.sign(first!.id, body),
    });
    const nowhere = await fetch(
      `${service.addresses.http}/webhooks/lantern/${crypto.randomUUID()}`,
      {
        method: "POST",
        body,
        headers: lantern.sign(first!.id, body),
      },
    );

    assert.equal(heard, 200);
    assert.equal(foreign.status, 401);
    assert.equal(nowhere.status, 404);
    const { rows } = await sql<{ delivery_id: string }>`
      select delivery_id from inbox where connector_type = 'lantern'`.execute(database.db);
    assert.deepEqual(
      rows.map((row) => row.delivery_id.split(":")[1]),
      ["a1"],
    );
    const { rows: refused } = await sql`
      select from audit_entries join organizations on organizations.id = organization_id
      where name = 'Acme' and body like '%webhook.refused%'`.execute(database.db);
    assert.equal(refused.length, 1);
  });

  it("names every field at fault, stores nothing, and takes the same form again", async () => {
    const { key } = lantern.addAccount("Patient");
    const form = await open(ana, "lantern", "Patient");
    const earlier = await stored();

    const wrong = await send(ana, "lantern", form, { site: "mars", color: "red" });
    const text = JSON.stringify(wrong.body);
    const now = await stored();
    const right = await send(ana, "lantern", form, { api_key: key, site: "eu" });

    assert.equal(wrong.status, 400);
    for (const part of ["api_key is missing", "site is one of eu, us", "color is not asked for"]) {
      assert.ok(text.includes(part), text);
    }
    assert.deepEqual(now, earlier);
    assert.equal(right.status, 200);
  });

  it("stores nothing that the vendor refuses, and ends the form", async () => {
    const { key } = lantern.addAccount("Elsewhere", "us");
    const earlier = await stored();
    for (const credentials of [
      { api_key: "planted-wrong-key", site: "eu" },
      { api_key: key, site: "eu" },
    ]) {
      const form = await open(ana, "lantern");

      const refused = await send(ana, "lantern", form, credentials);
      const again = await send(ana, "lantern", form, { api_key: key, site: "us" });

      assert.equal(refused.status, 400, JSON.stringify(refused.body));
      assert.ok(!JSON.stringify(refused.body).includes("planted"));
      assert.equal(again.status, 400);
    }
    assert.deepEqual(await stored(), earlier);
  });

  it("validates without storing anything", async () => {
    const { key, id } = lantern.addAccount("Tried");
    const earlier = await stored();

    const good = await validate({ api_key: key, site: "eu" });
    const bad = await validate({ api_key: "wrong", site: "eu" });
    const half = await validate({ site: "eu" });

    assert.equal(good.valid, true, JSON.stringify(good));
    assert.ok(JSON.stringify(good).includes(id));
    assert.equal(bad.valid, false);
    assert.match(bad.errors.join(), /401/);
    assert.deepEqual(half.errors, ["api_key is missing"]);
    assert.deepEqual(await stored(), earlier);
  });

  it("takes the form of nobody else", async () => {
    const { key } = lantern.addAccount("Private");
    const form = await open(ana, "lantern");

    const member = await send(mia, "lantern", form, { api_key: key, site: "eu" });
    const foreign = await send(ben, "lantern", form, { api_key: key, site: "eu" });
    const other = await send(ana, "lantern_role", form, { role: "role/x" });

    assert.deepEqual([member.status, foreign.status, other.status], [403, 400, 400]);
  });

  it("renews the key of an account that is connected, and keeps its address", async () => {
    const { key } = lantern.addAccount("Renewed");
    const { id } = await connect(key, "Renewed");
    await untilSetUp(id);

    const later = await connect(key, "Renewed");

    assert.equal(later.id, id);
    await untilSetUp(id);
    assert.equal(lantern.webhooks().filter(({ url }) => url.endsWith(id)).length, 1);
    assert.deepEqual(await namesOf(id), ["api_key", "webhook_secret"]);
  });

  it("says when a key has ended", async () => {
    const { key } = lantern.addAccount("Ended");
    const { id } = await connect(key, "Ended");
    await untilSetUp(id);
    lantern.endKey(key);

    await ana.post("/integrations/sync", { integration_id: id });

    const { body } = await ana.post("/integrations/status", { integration_id: id });
    assert.equal(body.health_status, "revoked");
  });

  it("takes its webhook back at the vendor when it is revoked", async () => {
    const { key } = lantern.addAccount("Revoked");
    const { id } = await connect(key, "Revoked");
    await untilSetUp(id);
    const [hook] = lantern.webhooks().filter(({ url }) => url.endsWith(id));

    await ana.post("/integrations/revoke", { integration_id: id });

    assert.deepEqual(await namesOf(id), []);
    await untilAsync(async () => !lantern.webhooks().some(({ url }) => url.endsWith(id)));
    const answer = await fetch(hook!.url, { method: "POST", body: "{}" });
    assert.equal(answer.status, 404);
  });

  describe("of a role", () => {
    it("gives out an external id, and lets in the account that asks for it", async () => {
      const { id } = lantern.addAccount("By role");
      const form = await open(ana, "lantern_role", "By role");
      const externalId = form.setup?.find(({ name }) => name === "external_id")?.value;
      const role = lantern.addRole(id, externalId);

      const { status, body } = await send(ana, "lantern_role", form, { role });

      assert.equal(status, 200, JSON.stringify(body));
      assert.equal(body.connector_organization_id, id);
      assert.equal(body.credential_type, "role");
    });

    it("refuses a role that lets in anybody", async () => {
      const { id } = lantern.addAccount("Open");
      const form = await open(ana, "lantern_role");

      const { status, body } = await send(ana, "lantern_role", form, { role: lantern.addRole(id) });

      assert.equal(status, 400);
      assert.match(JSON.stringify(body), /lets in anybody/);
    });

    it("refuses a role that was opened for another organization's id", async () => {
      const { id } = lantern.addAccount("Theirs");
      const theirs = await open(ana, "lantern_role");
      const externalId = theirs.setup?.find(({ name }) => name === "external_id")?.value;
      const role = lantern.addRole(id, externalId);
      const form = await open(ben, "lantern_role");

      const typed = await send(ben, "lantern_role", form, { role, external_id: externalId! });
      const { status } = await send(ben, "lantern_role", form, { role });

      assert.equal(typed.status, 400, "an external id is never typed in");
      assert.equal(status, 400);
    });
  });
});
