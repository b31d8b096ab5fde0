import type { Octokit } from "@octokit/core";
import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { type FakeGitHub, startFakeGitHub } from "./index.ts";
import { makeOctokitApp, statusOf } from "./octokit-app.ts";

const CALLBACK = "https://infragpt.test/callback";

describe("people at the fake GitHub", () => {
  it("install the App and come back with a code that works once", async () => {
    await using github = await startAcme();
    const { oauth, getInstallationUrl } = makeOctokitApp(github);
    const url = await getInstallationUrl({ state: "s1" });

    const back = new URL(github.approve(url, { login: "alice", account: "acme" }));
    const code = back.searchParams.get("code") ?? "";
    const { authentication } = await oauth.createToken({ code });
    const octokit = await oauth.getUserOctokit({ token: authentication.token });
    const { data } = await octokit.request("GET /user/installations");

    const id = Number(back.searchParams.get("installation_id"));
    assert.equal(back.origin + back.pathname, CALLBACK);
    assert.equal(back.searchParams.get("state"), "s1");
    assert.equal(back.searchParams.get("setup_action"), "install");
    assert.deepEqual(
      data.installations.map((each) => each.id),
      [id],
    );
    assert.match(authentication.token, /^ghu_/);
    await assert.rejects(oauth.createToken({ code }), /incorrect or expired/);
    assert.throws(() => github.approve(url, { login: "alice", account: "acme" }), /installation/);
    await oauth.deleteToken({ token: authentication.token });
    assert.equal(await statusOf(octokit.request("GET /user")), 401);
    assert.ok(github.secrets().includes(authentication.token));
  });

  it("see only what they may: installations, repositories, memberships", async () => {
    await using github = await startAcme();
    github.addRepository("acme/secret", { collaborators: { eve: "write" } });
    github.addUser("mallory");
    const id = github.install("acme");

    const seen = await Promise.all(
      ["alice", "bob", "eve", "mallory"].map(async (login) => {
        const octokit = await signIn(github, login);
        const { data } = await octokit.request("GET /user/installations");
        return [login, data.total_count, await repositoriesOf(octokit, id), await roleIn(octokit)];
      }),
    );

    assert.deepEqual(seen, [
      ["alice", 1, ["api, may push", "secret, may push"], "admin"],
      ["bob", 1, ["api", "secret"], "member"],
      ["eve", 1, ["secret, may push"], 404],
      ["mallory", 0, 404, 404],
    ]);
  });

  it("show no membership to an App that may not read members", async () => {
    await using github = await startAcme();
    github.install("acme", { permissions: { contents: "read" } });
    const octokit = await signIn(github, "alice");

    const membership = octokit.request("GET /user/memberships/orgs/{org}", { org: "acme" });

    assert.equal(await statusOf(membership), 403);
  });

  it("ask an admin where they may not install, and may decline", async () => {
    await using github = await startAcme();
    const page = `${github.webUrl}/apps/${github.appSlug}/installations/new?state=s`;

    const asked = new URL(github.approve(page, { login: "bob", account: "acme" })).searchParams;
    const declined = new URL(github.cancel(page)).searchParams;

    assert.equal(asked.get("setup_action"), "request");
    assert.equal(asked.get("installation_id"), null);
    assert.equal(declined.get("error"), "access_denied");
    assert.equal(declined.get("state"), "s");
    assert.throws(() => github.approve(page, { login: "mallory", account: "acme" }));
  });

  it("get no token for a wrong secret, code, verifier or address", async () => {
    await using github = await startAcme();
    const page = `${github.webUrl}/login/oauth/authorize?client_id=${github.clientId}`;
    const back = new URL(github.approve(`${page}&code_challenge=x`, { login: "alice" }));
    const bound = back.searchParams.get("code") ?? "";
    const open = new URL(github.approve(page, { login: "alice" })).searchParams.get("code") ?? "";

    const errors = [
      await exchange(github, { code: open, client_secret: "wrong" }),
      await exchange(github, { code: "wrong" }),
      await exchange(github, { code: bound, code_verifier: "wrong" }),
      await exchange(github, { code: open, redirect_uri: "https://evil.test/" }),
      await exchange(github, { code: open, redirect_uri: CALLBACK }),
    ];

    assert.deepEqual(errors, [
      "incorrect_client_credentials",
      "bad_verification_code",
      "bad_verification_code",
      "redirect_uri_mismatch",
      undefined,
    ]);
  });
});

async function startAcme(): Promise<FakeGitHub> {
  const github = await startFakeGitHub();
  github.addOrganization("acme", { alice: "admin", bob: "member" });
  github.addRepository("acme/api");
  github.addUser("mallory");
  github.setCallbackUrl(CALLBACK);
  return github;
}

async function repositoriesOf(octokit: Octokit, id: number): Promise<unknown> {
  const route = "GET /user/installations/{installation_id}/repositories";
  const listed = octokit.request(route, { installation_id: id });
  const status = await statusOf(listed);
  if (status !== 200) return status;
  const { repositories } = (await listed).data;
  return repositories.map((each) => `${each.name}${each.permissions?.push ? ", may push" : ""}`);
}

async function roleIn(octokit: Octokit): Promise<unknown> {
  const membership = octokit.request("GET /user/memberships/orgs/{org}", { org: "acme" });
  const status = await statusOf(membership);
  return status === 200 ? (await membership).data.role : status;
}

async function signIn(github: FakeGitHub, login: string) {
  const { oauth } = makeOctokitApp(github);
  const { url } = oauth.getWebFlowAuthorizationUrl({ state: "s" });
  const code = new URL(github.approve(url, { login })).searchParams.get("code") ?? "";
  return oauth.getUserOctokit({ code });
}

async function exchange(github: FakeGitHub, fields: Record<string, string>): Promise<unknown> {
  const { clientId, clientSecret } = github;
  const response = await fetch(`${github.webUrl}/login/oauth/access_token`, {
    method: "POST",
    headers: { accept: "application/json" },
    body: new URLSearchParams({ client_id: clientId, client_secret: clientSecret, ...fields }),
  });
  const answer: unknown = await response.json();
  assert.equal(response.status, 200);
  return (answer as Record<string, unknown>)["error"];
}
