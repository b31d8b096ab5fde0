import { Webhooks, createNodeMiddleware } from "@octokit/webhooks";
import assert from "node:assert/strict";
import { createSign, generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { describe, it } from "node:test";

import { type FakeGitHub, startFakeGitHub } from "./index.ts";
import { QUIET, makeOctokit, makeOctokitApp, statusOf } from "./octokit-app.ts";

describe("the fake GitHub", () => {
  it("shows a client of an App its installations and their repositories, page by page", async () => {
    await using github = await startFakeGitHub({ pageSizeMax: 2 });
    github.addUser("alice");
    github.addOrganization("acme", { alice: "admin" });
    for (const name of ["a", "b", "c", "d", "e"]) github.addRepository(`acme/${name}`);
    github.addRepository("alice/notes");
    github.install("acme");
    github.install("alice");
    const seen: string[] = [];

    await makeOctokitApp(github).eachRepository(({ repository }) => {
      seen.push(repository.full_name);
    });

    assert.deepEqual(seen.toSorted(), [
      ...["a", "b", "c", "d", "e"].map((name) => `acme/${name}`),
      "alice/notes",
    ]);
    assert.equal(github.calls("GET /installation/repositories").length, 4);
  });

  it("corrects a client whose clock is wrong, as GitHub's date header does", async () => {
    await using github = await startFakeGitHub({ now: () => Date.now() + 3_600_000 });

    const { data } = await makeOctokitApp(github).octokit.request("GET /app");

    assert.equal(data?.slug, "infragpt-test");
    assert.equal(github.calls("GET /app").length, 2);
  });

  it("refuses an App JWT that is foreign, for another App, too long or from the future", async () => {
    await using github = await startFakeGitHub();
    const stranger = generateKeyPairSync("rsa", {
      modulusLength: 2_048,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs1", format: "pem" },
    });
    const now = Math.floor(Date.now() / 1_000);
    const good = { iat: now - 30, exp: now + 570, iss: github.appId };
    const tokens = [
      signJwt(github.privateKeyPkcs8, good),
      signJwt(github.privateKey, { ...good, iss: github.clientId }),
      signJwt(stranger.privateKey, good),
      signJwt(github.privateKey, { ...good, iss: "1" }),
      signJwt(github.privateKey, { ...good, exp: now + 700 }),
      signJwt(github.privateKey, { ...good, exp: now - 1 }),
      signJwt(github.privateKey, { ...good, iat: now + 120 }),
    ];

    const answers = await Promise.all(
      tokens.map((token) => get(github, "/app", `bearer ${token}`)),
    );

    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 401, 404, 401, 401, 401],
    );
  });

  it("keeps a narrowed token to its repositories and permissions", async () => {
    await using github = await startFakeGitHub();
    github.addOrganization("acme", { alice: "admin" });
    github.addRepository("acme/api", { files: { "README.md": "hello" } });
    github.addRepository("acme/web");
    const id = github.install("acme", { permissions: { contents: "read", issues: "write" } });

    const octokit = await makeOctokit(github, id, {
      repositories: ["api"],
      permissions: { contents: "read" },
    });

    const repo = { owner: "acme", repo: "api" };
    const { data } = await octokit.request("GET /installation/repositories");
    assert.deepEqual(
      data.repositories.map((each) => each.full_name),
      ["acme/api"],
    );
    const web = octokit.request("GET /repos/{owner}/{repo}", { ...repo, repo: "web" });
    assert.equal(await statusOf(web), 404);
    const issue = octokit.request("POST /repos/{owner}/{repo}/issues", { ...repo, title: "x" });
    assert.equal(await statusOf(issue), 403);
    assert.equal(github.changes(), 0);
    const refused = [
      { repositories: ["secret"] },
      { repository_ids: [1] },
      { permissions: { contents: "write" } },
      { permissions: { deployments: "read" } },
    ] as const;
    for (const narrowing of refused) {
      const asked = makeOctokit(github, id, structuredClone(narrowing) as object);
      assert.equal(await statusOf(asked), 422);
    }
    assert.equal(github.tokenRequests().length, 5);
    assert.deepEqual(github.tokenRequests()[1], { installationId: id, repositories: ["secret"] });
  });

  it("stops answering for an installation that is suspended or gone", async () => {
    await using github = await startFakeGitHub();
    github.addUser("alice");
    const id = github.install("alice");
    const octokit = await makeOctokit(github, id);

    await github.suspend(id);
    const whileSuspended = [
      await statusOf(octokit.request("GET /installation/repositories")),
      await statusOf(makeOctokit(github, id)),
    ];
    await github.unsuspend(id);
    const again = await statusOf(octokit.request("GET /installation/repositories"));
    await github.uninstall(id);
    const afterwards = [
      await statusOf(octokit.request("GET /installation/repositories")),
      await statusOf(makeOctokit(github, id)),
    ];

    assert.deepEqual(whileSuspended, [403, 403]);
    assert.equal(again, 200);
    assert.deepEqual(afterwards, [401, 404]);
    assert.equal(github.installation(id), undefined);
  });

  it("sends webhooks that GitHub's own receiver accepts, and not those of a forger", async () => {
    await using github = await startFakeGitHub();
    const webhooks = new Webhooks({ secret: github.webhookSecret, log: QUIET });
    const seen: string[] = [];
    webhooks.onAny(({ name, payload }) => {
      seen.push(`${name}.${"action" in payload ? payload.action : ""}`);
    });
    const receive = createNodeMiddleware(webhooks, { path: "/hook", log: QUIET });
    const server = createServer((request, response) => void receive(request, response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    assert.ok(typeof address === "object" && address);
    github.setReceiver(`http://127.0.0.1:${address.port}/hook`);
    github.addOrganization("acme", { alice: "admin" });
    github.addRepository("acme/api");

    const id = github.install("acme", { repositories: [] });
    await github.settled();
    await github.addToInstallation(id, ["acme/api"]);
    await github.removeFromInstallation(id, ["acme/api"]);
    await github.acceptPermissions(id, { checks: "read" });
    await github.send("issues", { action: "opened" }, { installationId: id });
    const forged = await github.send("issues", { action: "closed" }, { secret: "wrong" });
    await github.uninstall(id);

    assert.deepEqual(seen, [
      "installation.created",
      "installation_repositories.added",
      "installation_repositories.removed",
      "installation.new_permissions_accepted",
      "issues.opened",
      "installation.deleted",
    ]);
    assert.equal(forged.status, 400);
    server.closeAllConnections();
    server.close();
  });
});

function signJwt(privateKey: string, claims: object): string {
  const parts = [{ alg: "RS256", typ: "JWT" }, claims].map((part) =>
    Buffer.from(JSON.stringify(part)).toString("base64url"),
  );
  const signature = createSign("RSA-SHA256").update(parts.join(".")).sign(privateKey, "base64url");
  return [...parts, signature].join(".");
}

function get(github: FakeGitHub, path: string, authorization: string): Promise<Response> {
  return fetch(`${github.apiUrl}${path}`, { headers: { authorization } });
}
