import type { Octokit } from "@octokit/core";
import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { type FakeGitHub, startFakeGitHub } from "./index.ts";
import { makeOctokit, statusOf } from "./octokit-app.ts";

const API = { owner: "acme", repo: "api" };

describe("writing to the fake GitHub", () => {
  it("leaves issues, comments and pull requests behind, and counts them", async () => {
    await using github = await startFakeGitHub();
    const octokit = await startAcme(github);
    github.addCommit("acme/api", { message: "one" });
    github.addCommit("acme/api", { message: "two", branch: "fix" });

    const issue = await octokit.request("POST /repos/{owner}/{repo}/issues", {
      ...API,
      title: "Slow",
      body: "very",
      labels: ["incident"],
    });
    await octokit.request("POST /repos/{owner}/{repo}/issues/{issue_number}/comments", {
      ...API,
      issue_number: issue.data.number,
      body: "Looking",
    });
    const pull = { ...API, title: "Fix", head: "fix", base: "main" };
    const created = await octokit.request("POST /repos/{owner}/{repo}/pulls", pull);
    const again = octokit.request("POST /repos/{owner}/{repo}/pulls", pull);

    assert.equal(await statusOf(again), 422);
    assert.equal(issue.data.user?.login, "infragpt-test[bot]");
    assert.equal(created.data.html_url, `${github.webUrl}/acme/api/pull/2`);
    assert.equal(github.changes(), 3);
    const none = { labels: [], comments: [] };
    assert.deepEqual(github.issues("acme/api"), [
      {
        number: 1,
        title: "Slow",
        body: "very",
        labels: ["incident"],
        isPullRequest: false,
        comments: [{ body: "Looking" }],
      },
      { ...none, number: 2, title: "Fix", body: null, isPullRequest: true },
    ]);
  });

  it("takes a comment on a pull request with either permission, on an issue with one", async () => {
    await using github = await startFakeGitHub();
    const octokit = await startAcme(github, { pull_requests: "write", issues: "read" });
    const pull = github.addPullRequest("acme/api", { title: "Fix", head: "fix" });
    const issue = github.addIssue("acme/api", { title: "Slow" });

    const statuses = [pull, issue].map((issue_number) =>
      statusOf(
        octokit.request("POST /repos/{owner}/{repo}/issues/{issue_number}/comments", {
          ...API,
          issue_number,
          body: "Looking",
        }),
      ),
    );

    assert.deepEqual(await Promise.all(statuses), [200, 403]);
  });

  it("runs a workflow again once, until it has finished", async () => {
    await using github = await startFakeGitHub();
    const octokit = await startAcme(github);
    const { runId } = github.addWorkflowRun("acme/api", { name: "ci", conclusion: "failure" });
    const route = "POST /repos/{owner}/{repo}/actions/runs/{run_id}/rerun-failed-jobs";

    const first = await octokit.request(route, { ...API, run_id: runId });
    const second = octokit.request(route, { ...API, run_id: runId });

    assert.equal(first.status, 201);
    assert.equal(await statusOf(second), 403);
    assert.deepEqual(github.reruns("acme/api"), [{ runId, onlyFailed: true }]);
  });
});

async function startAcme(
  github: FakeGitHub,
  permissions?: Readonly<Record<string, string>>,
): Promise<Octokit> {
  github.addOrganization("acme", { alice: "admin" });
  github.addRepository("acme/api");
  return makeOctokit(github, github.install("acme", permissions ? { permissions } : {}));
}
