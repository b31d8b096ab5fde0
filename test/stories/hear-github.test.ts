import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { after, before, beforeEach, describe, it } from "node:test";
import { sql } from "kysely";
import type { FakeGitHub } from "../fakes/github/index.ts";
import { follow, type IntegrationJson } from "../support/connecting.ts";
import { startGitHubWorld, type GitHubWorld } from "../support/github-world.ts";
import { startService } from "../support/service.ts";
import { untilAsync } from "../support/until.ts";

const FORMER_SECRET = "a-former-webhook-secret";

describe("Hearing of GitHub", () => {
  let world: GitHubWorld;
  let github: FakeGitHub;
  let webhooks: string;
  /** One that is connected anew for each promise. */
  let account: string;
  let integration: IntegrationJson;
  let installationId: number;

  before(async () => {
    world = await startGitHubWorld({
      webhookSecrets: (fake) => [fake.webhookSecret, FORMER_SECRET],
    });
    ({ github } = world);
    webhooks = `${world.service.addresses.http}/webhooks/github`;
  });
  after(() => world[Symbol.asyncDispose]());

  beforeEach(async () => {
    github.setReceiver(webhooks);
    account = world.anAccount();
    const back = await world.connect(world.ana, account);
    assert.equal(back.status, 303, back.text);
    await github.settled();
    integration = (await world.ana.integrations()).find(
      ({ metadata }) => metadata["account_login"] === account,
    )!;
    installationId = Number(integration.connector_organization_id);
  });

  interface Row {
    readonly state: string;
    readonly detail: string | null;
    readonly kind: string;
    readonly received_at: Date;
  }

  async function rowsOf(guid: string): Promise<readonly Row[]> {
    const { rows } = await sql<Row>`
      select state, detail, kind, received_at from inbox where delivery_id = ${guid}`.execute(
      world.database.db,
    );
    return rows;
  }

  async function untilDone(guid: string): Promise<Row> {
    await untilAsync(async () => {
      const [row] = await rowsOf(guid);
      return row !== undefined && row.state !== "stored";
    });
    return (await rowsOf(guid))[0]!;
  }

  async function names(): Promise<readonly string[]> {
    const { rows } = await sql<{ name: string }>`
      select name from integration_resources where integration_id = ${integration.id}
      order by name`.execute(world.database.db);
    return rows.map(({ name }) => name);
  }

  async function statusNow(): Promise<IntegrationJson> {
    const { body } = await world.ana.post("/integrations/status", {
      integration_id: integration.id,
    });
    return body;
  }

  async function post(
    body: string | Uint8Array,
    headers: Readonly<Record<string, string>>,
    url = webhooks,
  ): Promise<number> {
    const answer = await fetch(url, { method: "POST", body: Buffer.from(body), headers });
    await answer.body?.cancel();
    return answer.status;
  }

  function aPush(): string {
    return JSON.stringify({
      ref: "refs/heads/main",
      after: createHash("sha1").update(account).digest("hex"),
      installation: { id: installationId },
      repository: { id: 7, full_name: `${account}/payments` },
      sender: { id: 1, login: "ana" },
    });
  }

  it("takes webhooks on the main port and on one of their own", async () => {
    const own = `${world.service.addresses.githubWebhooks}/webhooks/github`;
    for (const url of [webhooks, own, `${webhooks}/`]) {
      const guid = randomUUID();
      const body = aPush();

      const status = await post(body, github.sign(body, { event: "push", guid }), url);

      assert.equal(status, 200, url);
      assert.equal((await untilDone(guid)).kind, "push");
    }
    assert.notEqual(new URL(own).port, new URL(webhooks).port);
    const other = await fetch(`${world.service.addresses.githubWebhooks}/healthz`);
    assert.equal(other.status, 404, "nothing else is served there");
  });

  it("takes two secrets while one replaces the other, and no third", async () => {
    const body = aPush();
    const former = github.sign(body, { event: "push", secret: FORMER_SECRET });
    const third = github.sign(body, { event: "push", secret: "nobody's" });

    assert.equal(await post(body, former), 200);
    assert.equal(await post(body, third), 401);
  });

  it("stores nothing that is unsigned, signed in SHA-1 only, cut, or another app's", async () => {
    const body = aPush();
    const guid = randomUUID();
    const good = github.sign(body, { event: "push", guid });
    const { "x-hub-signature-256": signature = "", ...unsigned } = good;

    assert.equal(await post(body, unsigned), 401);
    assert.equal(await post(body, { ...good, "x-hub-signature-256": "" }), 401);
    assert.equal(await post(body, { ...good, "x-hub-signature-256": signature.slice(0, -1) }), 401);
    assert.equal(
      await post(body, { ...good, "x-hub-signature-256": `${signature}, ${signature}` }),
      401,
    );
    assert.equal(await post(`${body} `, good), 401);
    assert.equal(await post(body, github.sign(body, { event: "push", guid, targetId: "1" })), 403);
    assert.deepEqual(await rowsOf(guid), []);
    const { rows } = await sql<{ body: string }>`
      select body from audit_entries where body like '%webhook.refused%'`.execute(
      world.database.db,
    );
    assert.ok(rows.some((row) => row.body.includes("no valid signature of GitHub")));
    assert.ok(rows.length <= 30, "a flood of forgeries is no flood of rows");
  });

  it("refuses bytes that only look like the signed text", async () => {
    const body = Buffer.from(aPush().replace('"ana"', '"�"'));
    const twin = Buffer.from(
      body.toString("latin1").replace("\u00ef\u00bf\u00bd", "\u00ff"),
      "latin1",
    );

    assert.equal(await post(twin, github.sign(body, { event: "push" })), 401);
    assert.equal(await post(twin, github.sign(twin, { event: "push" })), 400);
  });

  it("answers signed rubbish with 400, and a ping with 200", async () => {
    for (const body of ["", "null", "[]", '{"a":', "\u0000"]) {
      const status = await post(body, github.sign(body, { event: "push" }));
      assert.equal(status, 400, JSON.stringify(body));
    }
    const ping = JSON.stringify({ zen: "Keep it logically awesome.", hook_id: 1 });
    assert.equal(await post(ping, github.sign(ping, { event: "ping" })), 200);
  });

  it("stores a delivery once, however often it is delivered", async () => {
    const sent = await github.send("push", JSON.parse(aPush()));

    const again = await Promise.all([
      github.redeliver(sent.guid),
      github.redeliver(sent.guid),
      github.redeliver(sent.guid),
    ]);

    assert.deepEqual(
      again.map(({ status }) => status),
      [200, 200, 200],
    );
    assert.equal((await rowsOf(sent.guid)).length, 1);
  });

  it("understands a delivery of a megabyte as well", async () => {
    const payload = { ...JSON.parse(aPush()), head_commit: { message: "x".repeat(1_000_000) } };

    const { guid } = await github.send("push", payload);

    assert.equal((await untilDone(guid)).detail, "nobody waits for this signal");
  });

  it("takes up again what had been given up when it is delivered again", async () => {
    const { guid } = await github.send("push", JSON.parse(aPush()));
    await untilDone(guid);
    await sql`update inbox set state = 'dead', detail = 'given up' where delivery_id = ${guid}`.execute(
      world.database.db,
    );

    await github.redeliver(guid);

    const row = await untilDone(guid);
    assert.equal(row.state, "ignored");
    assert.notEqual(row.detail, "given up");
  });

  it("closes and opens a connection as GitHub does", async () => {
    await untilDone((await github.suspend(installationId)).guid);
    const closed = await statusNow();
    await untilDone((await github.unsuspend(installationId)).guid);
    const open = await statusNow();

    assert.equal(closed.status, "suspended");
    assert.match(closed.health.detail ?? "", /suspended at GitHub/);
    assert.equal(open.status, "active");
    assert.equal(open.health_status, "healthy");
  });

  it("goes by when it happened, in whatever order it is told", async () => {
    const at = Date.now() + 60_000;
    function told(action: string, seconds: number): object {
      const time = new Date(at + seconds * 1_000).toISOString();
      const suspendedAt = action === "suspend" ? time : null;
      return {
        action,
        installation: { id: installationId, updated_at: time, suspended_at: suspendedAt },
      };
    }

    const later = await github.send("installation", told("unsuspend", 20));
    await untilDone(later.guid);
    const earlier = await github.send("installation", told("suspend", 10));
    await untilDone(earlier.guid);

    assert.equal((await statusNow()).status, "active");
  });

  it("finds out by itself that a connection is open again", async () => {
    await untilDone((await github.suspend(installationId)).guid);
    github.setReceiver(undefined);
    await github.unsuspend(installationId);

    await world.ana.post("/integrations/sync", { integration_id: integration.id });

    assert.equal((await statusNow()).status, "active");
  });

  it("believes a suspension that is older by GitHub's clock than our last probe", async () => {
    await world.ana.post("/integrations/sync", { integration_id: integration.id });
    const time = new Date(Date.now() - 60_000).toISOString();
    const installation = { id: installationId, updated_at: time, suspended_at: time };

    const { guid } = await github.send("installation", { action: "suspend", installation });
    await untilDone(guid);

    const [row] = (await world.ana.integrations()).filter(({ id }) => id === integration.id);
    assert.equal(row?.status, "suspended");
  });

  it("leaves a connection closed when a probe fails and has seen nothing", async () => {
    await untilDone((await github.suspend(installationId)).guid);
    const probes = "GET /app/installations/{installation_id}";
    github.fail(probes, { kind: "unauthorized" }, { times: 2 });

    await world.ana.post("/integrations/sync", { integration_id: integration.id });
    github.clearFaults();

    assert.equal((await statusNow()).status, "suspended");
  });

  it("says what is missing of a connection that it finds open again", async () => {
    const few = world.anAccount();
    const { url, cookie } = await world.ana.authorize("github");
    const permissions = { contents: "read", members: "read" };
    await follow(github.approve(url, { login: "ana", account: few, permissions }), cookie);
    integration = (await world.ana.integrations()).find(
      ({ metadata }) => metadata["account_login"] === few,
    )!;
    installationId = Number(integration.connector_organization_id);
    await untilDone((await github.suspend(installationId)).guid);
    github.setReceiver(undefined);
    await github.unsuspend(installationId);

    await world.ana.post("/integrations/sync", { integration_id: integration.id });

    const { status, health_status: health } = await statusNow();
    assert.deepEqual([status, health], ["active", "degraded"]);
  });

  it("ends a connection whose app was uninstalled, and takes what still comes for nothing", async () => {
    await untilDone((await github.uninstall(installationId)).guid);

    const ended = await statusNow();

    assert.equal(ended.status, "deleted");
    assert.equal(ended.health_status, "revoked");
    assert.ok(!(await world.ana.integrations()).some(({ id }) => id === integration.id));
  });

  it("follows repositories that are added and removed, whichever is told first", async () => {
    await untilAsync(async () => (await names()).length === 1);
    github.addRepository(`${account}/billing`);
    github.addRepository(`${account}/shop`);
    github.setReceiver(undefined);
    const removed = await github.removeFromInstallation(installationId, [`${account}/payments`]);
    const added = await github.addToInstallation(installationId, [`${account}/shop`]);
    github.setReceiver(webhooks);

    await github.redeliver(added.guid);
    await github.redeliver(removed.guid);

    await untilAsync(async () => !(await names()).includes(`${account}/payments`));
    assert.ok((await names()).includes(`${account}/shop`));
  });

  it("fetches what GitHub could not deliver, once, when it starts again", async () => {
    github.setReceiver(undefined);
    const missed = await Promise.all([
      github.send("push", JSON.parse(aPush())),
      github.send("push", JSON.parse(aPush())),
    ]);
    github.setReceiver(webhooks);
    const delivered = await github.send("push", JSON.parse(aPush()));
    await untilDone(delivered.guid);
    const known = github.calls("GET /app/hook/deliveries/{delivery_id}").length;

    await using _replica = await startService(world.spec);

    for (const { guid, status } of missed) {
      assert.equal(status, 0);
      assert.equal((await untilDone(guid)).kind, "push");
      assert.equal((await rowsOf(guid)).length, 1);
    }
    const fetched = github.calls("GET /app/hook/deliveries/{delivery_id}").slice(known);
    assert.ok(fetched.length >= missed.length);
  });
});
