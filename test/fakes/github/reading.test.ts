import type { Octokit } from "@octokit/core";
import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { type FakeGitHub, startFakeGitHub } from "./index.ts";
import { makeOctokit, statusOf } from "./octokit-app.ts";

const API = { owner: "acme", repo: "api" };
const PATCH = "@@ -1 +1,2 @@\n-old\n+new\n+more";
const DIFF = { mediaType: { format: "diff" } };

describe("reading from the fake GitHub", () => {
  it("lists commits by branch, path, author and time, with links between pages", async () => {
    await using github = await startFakeGitHub();
    const octokit = await startAcme(github);
    const files = [{ filename: "src/a.ts", patch: PATCH }];
    github.addCommit("acme/api", { message: "one", author: "alice", at: day(1) });
    github.addCommit("acme/api", { message: "two", author: "bob", at: day(2), files });
    github.addCommit("acme/api", { message: "three", branch: "fix", at: day(3) });

    const asked = [
      {},
      { sha: "fix" },
      { path: "src" },
      { author: "alice" },
      { since: day(2).toISOString() },
      { until: day(1).toISOString() },
      { sha: "fix", per_page: 2 },
    ];
    const all = await Promise.all(
      asked.map((each) =>
        octokit.request("GET /repos/{owner}/{repo}/commits", { ...API, ...each }),
      ),
    );

    assert.deepEqual(
      all.map(({ data }) => data.map(({ commit }) => commit.message).join()),
      ["two,one", "three,two,one", "two", "one", "two", "one", "three,two"],
    );
    const url = `${github.apiUrl}/repos/acme/api/commits?sha=fix&per_page=2&page=2`;
    assert.equal(all.at(-1)?.headers.link, `<${url}>; rel="next", <${url}>; rel="last"`);
    assert.equal(all[0]?.data[0]?.author?.login, "bob");
  });

  it("shows one commit and compares two, as JSON and as a diff", async () => {
    await using github = await startFakeGitHub();
    const octokit = await startAcme(github);
    const files = [{ filename: "src/a.ts", patch: PATCH }];
    github.addCommit("acme/api", { message: "one" });
    const sha = github.addCommit("acme/api", { message: "two", branch: "fix/it", files });
    const basehead = "main...fix/it";

    const one = await octokit.request("GET /repos/{owner}/{repo}/commits/{ref}", {
      ...API,
      ref: "fix/it",
    });
    const compared = await octokit.request("GET /repos/{owner}/{repo}/compare/{basehead}", {
      ...API,
      basehead,
    });
    const diff = await octokit.request("GET /repos/{owner}/{repo}/compare/{basehead}", {
      ...API,
      basehead,
      ...DIFF,
    });

    assert.equal(one.data.sha, sha);
    assert.deepEqual(one.data.stats, { additions: 2, deletions: 1, total: 3 });
    assert.equal(compared.data.status, "ahead");
    assert.equal(compared.data.ahead_by, 1);
    const header = "diff --git a/src/a.ts b/src/a.ts\n--- a/src/a.ts\n+++ b/src/a.ts\n";
    assert.equal(diff.data, `${header}${PATCH}\n`);
  });

  it("reads files, directories and raw text, and finds code in what the token reaches", async () => {
    await using github = await startFakeGitHub();
    const octokit = await startAcme(github);
    github.addRepository("acme/other", { files: { "main.tf": "resource redis" } });
    const route = "GET /repos/{owner}/{repo}/contents/{path}";

    const file = await octokit.request(route, { ...API, path: "infra/main.tf" });
    const raw = await octokit.request(route, {
      ...API,
      path: "infra/main.tf",
      mediaType: { format: "raw" },
    });
    const directory = await octokit.request(route, { ...API, path: "infra" });
    const found = await octokit.request("GET /search/code", { q: "Redis org:acme" });

    assert.ok("content" in file.data);
    assert.equal(Buffer.from(file.data.content, "base64").toString(), "resource redis {}");
    assert.equal(raw.data, "resource redis {}");
    assert.ok(Array.isArray(directory.data));
    assert.deepEqual(
      directory.data.map(({ path, type }) => [path, type]),
      [["infra/main.tf", "file"]],
    );
    assert.deepEqual(
      found.data.items.map(({ path, repository }) => [repository.full_name, path]),
      [["acme/api", "infra/main.tf"]],
    );
    const elsewhere = octokit.request("GET /search/code", { q: "redis repo:acme/other" });
    assert.equal(await statusOf(elsewhere), 422);
  });

  it("shows runs, jobs and a log behind an address that takes no token", async () => {
    await using github = await startFakeGitHub();
    const octokit = await startAcme(github);
    const { runId, jobIds } = github.addWorkflowRun("acme/api", {
      name: "deploy",
      conclusion: "failure",
      jobs: [{ name: "test", conclusion: "failure", log: "it broke" }],
    });
    github.addWorkflowRun("acme/api", { name: "deploy", conclusion: null });

    const runs = await octokit.request("GET /repos/{owner}/{repo}/actions/runs", {
      ...API,
      status: "failure",
    });
    const jobs = await octokit.request("GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs", {
      ...API,
      run_id: runId,
    });
    const redirect = await octokit.request("GET /repos/{owner}/{repo}/actions/jobs/{job_id}/logs", {
      ...API,
      job_id: jobIds[0]!,
      request: { redirect: "manual" },
    });
    const location = redirect.headers.location ?? "";
    const log = await fetch(location);
    const withToken = await fetch(location, { headers: { authorization: "token x" } });

    assert.deepEqual(
      runs.data.workflow_runs.map(({ id, conclusion }) => [id, conclusion]),
      [[runId, "failure"]],
    );
    assert.equal(jobs.data.jobs[0]?.name, "test");
    assert.match(location, /logs-storage/);
    assert.equal(await log.text(), "it broke");
    assert.equal(withToken.status, 400);
    assert.equal((await fetch(location.replace(/sig=\w+/, "sig=x"))).status, 403);
  });

  it("shows pull requests and deployments", async () => {
    await using github = await startFakeGitHub();
    const octokit = await startAcme(github);
    const files = [{ filename: "src/a.ts", patch: PATCH }];
    github.addCommit("acme/api", { message: "one" });
    github.addCommit("acme/api", { message: "two", branch: "fix", files });
    const pull_number = github.addPullRequest("acme/api", { title: "Fix", head: "fix" });
    const statuses = [{ state: "in_progress" }, { state: "failure", description: "no space" }];
    const id = github.addDeployment("acme/api", { environment: "live", ref: "main", statuses });

    const pull = { ...API, pull_number };
    const changed = await octokit.request(
      "GET /repos/{owner}/{repo}/pulls/{pull_number}/files",
      pull,
    );
    const diff = await octokit.request("GET /repos/{owner}/{repo}/pulls/{pull_number}", {
      ...pull,
      ...DIFF,
    });
    const deployments = await octokit.request("GET /repos/{owner}/{repo}/deployments", {
      ...API,
      environment: "live",
    });
    const told = await octokit.request(
      "GET /repos/{owner}/{repo}/deployments/{deployment_id}/statuses",
      { ...API, deployment_id: id },
    );

    assert.deepEqual(
      changed.data.map(({ filename, patch }) => [filename, patch]),
      [["src/a.ts", PATCH]],
    );
    assert.ok(JSON.stringify(diff.data).startsWith('"diff --git'));
    assert.equal(deployments.data.length, 1);
    assert.deepEqual(
      told.data.map(({ state }) => state),
      ["failure", "in_progress"],
    );
  });

  it("redirects from the former name of a repository", async () => {
    await using github = await startFakeGitHub();
    const octokit = await startAcme(github);
    const { id } = github.addRepository("acme/old", { files: { a: "b" } });
    const stranger = await makeOctokit(github, github.install("alice"));
    const { installationId = 0 } = github.tokenRequests()[0] ?? {};
    await github.addToInstallation(installationId, ["acme/old"]);
    github.renameRepository("acme/old", "acme/new");
    const old = { owner: "acme", repo: "old" };

    const followed = await octokit.request("GET /repos/{owner}/{repo}", old);
    const written = await octokit.request("POST /repos/{owner}/{repo}/issues", {
      ...old,
      title: "Moved",
      request: { redirect: "manual" },
    });

    assert.equal(followed.data.full_name, "acme/new");
    assert.equal(`${written.status}`, "307");
    assert.equal(written.headers.location, `${github.apiUrl}/repositories/${id}/issues`);
    assert.equal(await statusOf(stranger.request("GET /repos/{owner}/{repo}", old)), 404);
  });
});

function day(number: number): Date {
  return new Date(`2026-11-0${number}T00:00:00Z`);
}

/** Only acme/api is in the installation. */
async function startAcme(github: FakeGitHub): Promise<Octokit> {
  github.addOrganization("acme", { alice: "admin", bob: "member" });
  github.addRepository("acme/api", { files: { "infra/main.tf": "resource redis {}" } });
  return makeOctokit(github, github.install("acme", { repositories: ["acme/api"] }));
}
