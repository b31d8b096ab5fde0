import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { App } from "#app";
import { startFakeClerk } from "../fakes/clerk/index.ts";
import { startFakeGitHub, type FakeGitHub } from "../fakes/github/index.ts";
import { startFakeSlack, type FakeSlack } from "../fakes/slack/index.ts";
import { lanternConnectors, startLantern, type Lantern } from "../fakes/lantern/index.ts";
import { follow, type IntegrationJson } from "../support/connecting.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { aHome, aServiceToken, startService } from "../support/service.ts";

const SECURITY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
  "form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

interface AnswerJson extends IntegrationJson {
  readonly connectors: readonly object[];
  readonly integrations: readonly IntegrationJson[];
  readonly state: string;
  readonly url: string;
}

describe("The page on which the admin of local mode connects accounts", () => {
  let github: FakeGitHub;
  let slack: FakeSlack;
  let lantern: Lantern;
  let service: App;
  let base: string;
  let session: string;
  const opened = new AsyncDisposableStack();

  before(async () => {
    github = opened.use(await startFakeGitHub());
    slack = opened.use(await startFakeSlack());
    lantern = opened.use(await startLantern());
    const { apiUrl, appToken } = slack;
    service = await start(
      {
        github: { ...github, webhookSecrets: [github.webhookSecret] },
        slack: { apiUrl, appToken, botToken: slack.workspace.botToken },
      },
      lanternConnectors(lantern.apiUrl),
    );
    base = service.addresses.http;
    github.setCallbackUrl(`${base}/integrations/callback/github`);
    session = await signIn();
  });
  after(() => opened.disposeAsync());

  async function start(
    spec: Omit<Parameters<typeof startService>[0], "databaseUrl" | "home">,
    connectors: ReturnType<typeof lanternConnectors> = [],
  ): Promise<App> {
    const database: TestDatabase = opened.use(await createTestDatabase());
    const home = opened.use(aHome());
    const all = { databaseUrl: database.url, home: home.path, ...spec };
    return opened.use(await startService(all, { connectors }));
  }

  async function signIn(): Promise<string> {
    const login = await fetch((await service.createLoginLink())!, { redirect: "manual" });
    return (login.headers.get("set-cookie") ?? "").split(";")[0]!;
  }

  /** What the page's script sends: the cookie, and the origin that the browser adds. */
  async function send(path: string, body?: object, origin: string | undefined = base) {
    const answer = await fetch(`${base}${path}`, {
      method: body ? "POST" : "GET",
      headers: {
        cookie: session,
        ...(body && origin !== "" && { origin }),
        ...(body && { "content-type": "application/json" }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const cookie = (answer.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
    const json: AnswerJson = JSON.parse(await answer.text());
    return { status: answer.status, body: json, cookie };
  }

  it("is served with its scripts and styles, and lets in nothing else", async () => {
    const files = readdirSync(join(import.meta.dirname, "../../console"));
    const types = { ".css": "text/css", ".js": "text/javascript" } as const;
    const paths: (readonly [string, string])[] = [["/", "text/html"]];
    for (const [ending, type] of Object.entries(types)) {
      const found = files.filter((file) => file.endsWith(ending));
      paths.push(...found.map((file) => [`/console/${file}`, type] as const));
    }
    assert.ok(paths.length > 8, "found too few files: the check would pass on nothing");

    for (const [path, type] of paths) {
      const answer = await fetch(`${base}${path}`);
      const text = await answer.text();

      assert.equal(answer.status, 200, path);
      assert.equal(answer.headers.get("content-type"), `${type}; charset=utf-8`);
      assert.equal(answer.headers.get("content-security-policy"), SECURITY);
      assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
      // What the policy would stop, or what would read data as HTML.
      assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(/);
      assert.doesNotMatch(text, /<script(?! type="module" src=)|<style|\sstyle=|\son\w+=/);
    }
  });

  it("names only files that are served", async () => {
    const text = await (await fetch(base)).text();
    const script = await (await fetch(`${base}/console/connections.js`)).text();

    const linked = [...text.matchAll(/(?:href|src)="(\/[^"]*)"/g)].map(([, path = ""]) => path);
    const imported = [...script.matchAll(/from "\.\/([\w.]+)"/g)].map(
      ([, name]) => `/console/${name}`,
    );
    assert.ok(imported.length > 3);

    for (const path of [...linked, ...imported]) {
      // Readiness, which the page links to as well, may still be on its way.
      const { status } = await fetch(`${base}${path}`);
      assert.ok(status === 200 || (status === 503 && path === "/readyz"), `${status} at ${path}`);
    }
  });

  it("knows whether people sign in on it", async () => {
    const clerk = opened.use(await startFakeClerk());
    const shared = await start({ clerk: { ...clerk, webhookSecrets: [clerk.webhookSecret] } });

    const own = await (await fetch(base)).text();
    const other = await (await fetch(shared.addresses.http)).text();

    assert.match(own, /data-identity="local"/);
    assert.match(other, /data-identity="clerk"/);
  });

  it("learns what can be connected, and why something cannot", async () => {
    const { status, body } = await send("/api/v1/connectors");

    assert.equal(status, 200);
    assert.deepEqual(body.connectors, [
      {
        id: "slack",
        name: "Slack",
        authorization: null,
        can_connect: false,
        reason: "configuration_only",
      },
      { id: "github", name: "GitHub", authorization: "installation", can_connect: true },
      { id: "lantern", name: "Lantern", authorization: "api_key", can_connect: true },
      { id: "lantern_role", name: "Lantern by role", authorization: "role", can_connect: true },
    ]);
  });

  it("tells a caller who may only look, and a stranger nothing", async () => {
    const token = await aServiceToken(service, ["integration:read"]);
    const headers = { authorization: `Bearer ${token}` };
    const looked = await fetch(`${base}/api/v1/connectors`, { headers });
    const { connectors } = (await looked.json()) as {
      connectors: readonly { id: string; can_connect: boolean; reason?: string }[];
    };

    const stranger = await fetch(`${base}/api/v1/connectors`);

    const found = connectors.find(({ id }) => id === "github");
    assert.equal(found?.can_connect, false);
    assert.equal(found.reason, "not_permitted");
    assert.equal(stranger.status, 401);
  });

  it("connects GitHub with the session of a login link, and is told which account it was", async () => {
    github.addOrganization("acme", { ana: "admin" });
    github.addRepository("acme/payments");
    const begun = await send("/integrations/authorize", { connector_type: "github" });
    assert.equal(begun.status, 200, JSON.stringify(begun.body));

    const back = await follow(
      github.approve(begun.body.url, { login: "ana", account: "acme" }),
      `${session}; ${begun.cookie}`,
    );

    const { body } = await send("/integrations/list", { connector_type: "github" });
    const [account] = body.integrations;
    assert.equal(back.status, 303, back.text);
    assert.equal(back.location, `${base}/?connected=github&integration_id=${account?.id}`);
    assert.equal(account?.metadata["account_name"], "acme");
  });

  it("connects by a form, checks and disconnects with the same session", async () => {
    const { key } = lantern.addAccount("Acme");
    const connector = { connector_type: "lantern" };
    const credentials = { api_key: key, site: "eu", note: "" };
    const begun = await send("/integrations/authorize", { ...connector, label: "Production" });

    const { state } = begun.body;
    const done = await send("/integrations/callback", { ...connector, state, credentials });
    const account = { integration_id: done.body.id };
    const synced = await send("/integrations/sync", account);
    const checked = await send("/integrations/status", account);
    const revoked = await send("/integrations/revoke", account);

    assert.equal(done.status, 200, JSON.stringify(done.body));
    assert.equal(done.body.label, "Production");
    assert.equal(synced.status, 200);
    assert.equal(checked.body.health_status, "healthy");
    assert.equal(revoked.status, 200);
    const { body } = await send("/integrations/list", connector);
    assert.deepEqual(body.integrations, []);
  });

  it("lets no page of another origin use the session, not even one of this machine", async () => {
    const { port } = new URL(base);
    const origins = ["https://evil.example.com", "http://127.0.0.1:1", `http://localhost:${port}`];
    for (const origin of [...origins, "null", ""]) {
      for (const path of ["authorize", "callback", "list", "sync", "status", "revoke"]) {
        const { status } = await send(`/integrations/${path}`, {}, origin);
        assert.equal(status, 401, `${origin} at ${path}`);
      }
    }
  });
});
