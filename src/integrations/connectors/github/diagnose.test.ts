import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Secret } from "@infragpt/connector-kit";
import { diagnoseGitHub } from "./diagnose.ts";
import { anotherKey, configOf, startAcme, type Acme } from "./github-testing.ts";

const WEBHOOK_URL = "https://infragpt.acme.example/webhooks/github";

describe("The diagnosis of a GitHub App", () => {
  it("finds nothing wrong but the events that the app does not hear", async () => {
    await using acme = await startAcme();
    acme.github.setReceiver(WEBHOOK_URL);

    const lines = await diagnose(acme);

    assert.deepEqual(lines, [
      ["github app", "ok", "infragpt-test (infragpt-test)"],
      [
        "github permissions",
        "warning",
        "missing: event deployment, event release, event repository; add them to the app",
      ],
      ["github accounts", "ok", "can be connected"],
      ["github webhook", "ok", WEBHOOK_URL],
    ]);
  });

  it("names the permissions that are missing", async () => {
    await using acme = await startAcme({ fake: { permissions: { contents: "read" } } });

    const [, permissions] = await diagnose(acme);

    assert.match(permissions?.[2] ?? "", /missing: actions:read, deployments:read, issues:read/);
  });

  it("says what to set when accounts cannot be connected, or nothing is heard", async () => {
    await using acme = await startAcme();
    const { clientId: _, clientSecret: __, appSlug: ___, ...rest } = configOf(acme.github);

    const lines = await diagnose(acme, { ...rest, webhookSecrets: [] });

    assert.deepEqual(lines.slice(2), [
      [
        "github accounts",
        "warning",
        "cannot be connected: set client_id, client_secret and app_slug",
      ],
      ["github webhook", "failed", "webhook_secret is missing: nothing is heard of GitHub"],
    ]);
  });

  it("tells a webhook that goes elsewhere from one behind a proxy", async () => {
    await using acme = await startAcme();

    const [, , , none] = await diagnose(acme);
    acme.github.setReceiver("https://hooks.acme.example/webhooks/github");
    const [, , , proxied] = await diagnose(acme);
    acme.github.setReceiver("https://elsewhere.example/");
    const [, , , elsewhere] = await diagnose(acme);

    assert.deepEqual([none?.[1], proxied?.[1], elsewhere?.[1]], ["failed", "warning", "failed"]);
    assert.match(none?.[2] ?? "", /goes to no address; public_url says https:/);
  });

  it("names the app_slug that is right", async () => {
    await using acme = await startAcme();

    const [app] = await diagnose(acme, { ...configOf(acme.github), appSlug: "infragpt" });

    assert.deepEqual(app, ["github app", "failed", "its app_slug is infragpt-test, not infragpt"]);
  });

  it("names private_key when GitHub refuses the key, and shows nothing of it", async () => {
    await using acme = await startAcme();
    const privateKey = new Secret(anotherKey());

    const lines = await diagnose(acme, { ...configOf(acme.github), privateKey });

    assert.equal(lines.length, 1);
    assert.match(lines[0]?.[2] ?? "", /check private_key and app_id/);
    assert.doesNotMatch(JSON.stringify(lines), /PRIVATE KEY|eyJ/);
  });

  it("never rejects, whatever GitHub does", async () => {
    await using acme = await startAcme();
    const gone = await startAcme();
    await gone[Symbol.asyncDispose]();

    const [unreachable] = await diagnose(gone);
    acme.github.fail("GET /app", { kind: "bad_json" });
    const [garbled] = await diagnose(acme);
    acme.github.fail("GET /app/hook/config", { kind: "http", status: 503 });
    const lines = await diagnose(acme);

    assert.match(unreachable?.[2] ?? "", /cannot be reached/);
    assert.match(garbled?.[2] ?? "", /not JSON/);
    assert.match(lines[3]?.[2] ?? "", /GitHub answered 503/);
    assert.deepEqual(
      lines.map(([, state]) => state),
      ["ok", "warning", "ok", "failed"],
    );
  });
});

async function diagnose({ github }: Acme, config = configOf(github)) {
  const signal = AbortSignal.timeout(10_000);
  const lines = await diagnoseGitHub(config, { webhookUrl: WEBHOOK_URL }, { signal });
  return lines.map(({ name, state, detail }) => [name, state, detail] as const);
}
