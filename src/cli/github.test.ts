import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { startFakeGitHub, type FakeGitHub } from "../../test/fakes/github/index.ts";
import { aHome } from "../../test/support/service.ts";

const MAIN = join(import.meta.dirname, "../main.ts");

describe("A GitHub App on the command line", () => {
  const home = aHome();
  let github: FakeGitHub;

  before(async () => {
    github = await startFakeGitHub();
  });
  after(async () => {
    await github[Symbol.asyncDispose]();
    home[Symbol.dispose]();
  });

  async function infragpt(...args: readonly string[]) {
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd: home.path,
      env: { PATH: process.env["PATH"] },
      timeout: 60_000,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [out, err, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, "close"),
    ]);
    return { code: Number(code), out, err };
  }

  function configure(change: Readonly<Record<string, unknown>> = {}): void {
    const file = {
      port: 0,
      grpc_port: 0,
      metrics_port: 0,
      public_url: "https://infragpt.example.com",
      integrations: {
        github: {
          app_id: github.appId,
          app_slug: github.appSlug,
          client_id: github.clientId,
          client_secret: github.clientSecret,
          private_key: github.privateKey,
          webhook_secret: github.webhookSecret,
          webhook_port: 0,
          api_url: github.apiUrl,
          web_url: github.webUrl,
          ...change,
        },
      },
    };
    // JSON is YAML.
    writeFileSync(join(home.path, "config.yaml"), JSON.stringify(file));
  }

  async function findings(): Promise<Readonly<Record<string, { state: string; detail: string }>>> {
    const { out } = await infragpt("doctor", "--json");
    const all: { name: string; state: string; detail: string }[] = JSON.parse(out).findings;
    return Object.fromEntries(all.map((finding) => [finding.name, finding]));
  }

  test("is made on a page with everything filled in", async () => {
    configure();

    const { code, out } = await infragpt("github", "link", "--organization", "acme", "--json");

    const url = new URL(JSON.parse(out).url);
    assert.equal(code, 0);
    assert.equal(url.href.split("?")[0], `${github.webUrl}/organizations/acme/settings/apps/new`);
    assert.equal(
      url.searchParams.get("webhook_url"),
      "https://infragpt.example.com/webhooks/github",
    );
    assert.equal(
      url.searchParams.get("callback_urls[]"),
      "https://infragpt.example.com/integrations/callback/github",
    );
    assert.equal(url.searchParams.get("request_oauth_on_install"), "true");
    assert.equal(url.searchParams.get("members"), "read");
    assert.ok(url.searchParams.getAll("events[]").includes("workflow_run"));
  });

  test("is looked at by the doctor", async () => {
    configure();

    const found = await findings();

    assert.equal(found["github app"]?.state, "ok");
    assert.match(found["github app"]?.detail ?? "", /infragpt-test/);
    assert.equal(found["github accounts"]?.state, "ok");
  });

  test("with another name, or a key that GitHub does not know, is told by the doctor", async () => {
    configure({ app_slug: "other" });
    const named = await findings();
    await using other = await startFakeGitHub();
    configure({ private_key: other.privateKey });
    const keyed = await findings();

    assert.equal(named["github app"]?.state, "failed");
    assert.match(named["github app"]?.detail ?? "", /app_slug is infragpt-test/);
    assert.equal(keyed["github app"]?.state, "failed");
    assert.match(keyed["github app"]?.detail ?? "", /check private_key/);
    assert.ok(!JSON.stringify(keyed).includes("PRIVATE KEY"));
  });
});
