import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Secret } from "@infragpt/connector-kit";
import { PAYMENTS, anotherKey, refusalOf, startAcme } from "./github-testing.ts";

const repository = PAYMENTS;
const MINUTE_MS = 60_000;

describe("The key of the app", () => {
  for (const kind of ["privateKey", "privateKeyPkcs8"] as const) {
    it(`opens GitHub as ${kind === "privateKey" ? "PKCS#1" : "PKCS#8"}`, async () => {
      await using acme = await startAcme({
        config: (github) => ({ privateKey: new Secret(github[kind]) }),
      });
      acme.github.addCommit(repository, { message: "Begin" });

      assert.equal((await health(acme))?.status, "healthy");
      await acme.run("list_commits", { repository });
    });
  }

  it("is named, and the account is not blamed, when it is not the app's", async () => {
    await using acme = await startAcme({
      config: () => ({ privateKey: new Secret(anotherKey()) }),
    });

    const { kind, message } = await refusalOf(acme.run("list_commits", { repository }));
    const found = await health(acme);

    const detail = "GitHub refuses the app's key: the operator has to check private_key and app_id";
    assert.equal(kind, "unauthorized");
    assert.equal(message, detail);
    assert.deepEqual(found, { status: "degraded", detail });
  });

  it("is named when GitHub knows no app of that id, and no account counts as uninstalled", async () => {
    await using acme = await startAcme({ config: () => ({ appId: "7" }) });
    const { connector, connection, github } = acme;

    const found = await health(acme);
    const read = await refusalOf(acme.run("list_commits", { repository }));
    const revoked = await refusalOf(
      connector.revoke!(connection, { signal: AbortSignal.timeout(5_000) }),
    );

    const detail = "GitHub refuses the app's key: the operator has to check private_key and app_id";
    assert.deepEqual(found, { status: "degraded", detail });
    assert.equal(read.message, detail);
    assert.equal(revoked.message, detail);
    assert.ok(github.installation(Number(connection.accountId)));
  });

  it("is not blamed for an account that uninstalled the app", async () => {
    await using acme = await startAcme();
    await acme.github.uninstall(Number(acme.connection.accountId));

    const found = await health(acme);

    assert.equal(found.status, "revoked");
    assert.match("detail" in found ? found.detail : "", /uninstalled from acme/);
  });

  it("is judged by nobody while GitHub cannot say whether it knows the app", async () => {
    await using acme = await startAcme();
    await acme.github.uninstall(Number(acme.connection.accountId));
    acme.github.fail("GET /app", { kind: "http", status: 503 });

    const { kind } = await refusalOf(health(acme));

    assert.equal(kind, "unavailable");
  });

  it("that signs nothing sends nothing", async () => {
    const privateKey = new Secret("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END-----\n");
    await using acme = await startAcme({ config: () => ({ privateKey }) });

    const { kind, message } = await refusalOf(acme.run("list_commits", { repository }));

    assert.equal(kind, "unavailable");
    assert.doesNotMatch(message, /AAAA/);
    assert.deepEqual(acme.github.calls("*"), []);
  });
});

describe("A clock that is wrong", () => {
  for (const minutes of [-10, 10]) {
    it(`is set right by GitHub's when it is off by ${minutes} minutes`, async () => {
      const fake = { now: () => Date.now() + minutes * MINUTE_MS };
      await using acme = await startAcme({ fake });
      acme.github.addCommit(repository, { message: "Begin" });

      assert.equal((await health(acme))?.status, "healthy");
      await acme.run("list_commits", { repository });
      await acme.run("create_issue", { repository, title: "Once" });

      assert.equal(acme.github.issues(repository).length, 1);
    });
  }
});

describe("A redirect", () => {
  it("that leads to another host is not followed, and takes no token there", async () => {
    await using acme = await startAcme({
      // The fake redirects to itself by its number.
      config: ({ apiUrl }) => ({ apiUrl: apiUrl.replace("127.0.0.1", "localhost") }),
    });
    acme.github.addCommit(repository, { message: "Begin" });
    await acme.run("list_commits", { repository });
    acme.github.renameRepository(repository, "acme/billing");
    const before = acme.github.calls("*").length;

    const { kind, message } = await refusalOf(acme.run("list_commits", { repository }));

    assert.equal(kind, "rejected");
    assert.match(message, /redirects .* elsewhere/);
    assert.equal(acme.github.calls("*").length, before + 1);
  });
});

async function health({ connector, connection }: Awaited<ReturnType<typeof startAcme>>) {
  const signal = AbortSignal.timeout(10_000);
  const found = await connector.checkHealth?.(connection, { signal });
  assert.ok(found);
  return found;
}
