import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { arrayIn, recordIn } from "@infragpt/connector-kit";
import { PAYMENTS, refusalOf, startAcme } from "./github-testing.ts";

const repository = PAYMENTS;
const DAY_1 = new Date("2026-11-01T10:00:00Z");
const DAY_2 = new Date("2026-11-02T10:00:00Z");
const PATCH = "@@ -1 +1 @@\n-retries = 3\n+retries = 30";

describe("What changed", () => {
  it("is listed with who did it, when, and where to look, the newest first", async () => {
    await using acme = await startAcme();
    const files = [{ filename: "src/pay.ts", patch: PATCH }];
    acme.github.addCommit(repository, { message: "Begin", author: "ana", at: DAY_1 });
    const sha = acme.github.addCommit(repository, {
      message: "Retry more",
      author: "Bob B.",
      at: DAY_2,
      files,
    });

    const all = await acme.run("list_commits", { repository });
    const ofPath = await acme.run("list_commits", { repository, path: "src" });
    const ofAna = await acme.run("list_commits", { repository, author: "ana" });
    const since = await acme.run("list_commits", { repository, since: DAY_2.toISOString() });

    const last = {
      sha,
      message: "Retry more",
      author: "Bob B.",
      committed_at: "2026-11-02T10:00:00Z",
      url: `${acme.github.webUrl}/acme/payments/commit/${sha}`,
    };
    assert.partialDeepStrictEqual(all, { commits: [last, { message: "Begin", author: "ana" }] });
    assert.deepEqual(ofPath, { commits: [last] });
    assert.partialDeepStrictEqual(ofAna, { commits: [{ message: "Begin" }] });
    assert.deepEqual(since, { commits: [last] });
  });

  it("is compared between two commits, oldest first, a page at a time", async () => {
    await using acme = await startAcme();
    const base = acme.github.addCommit(repository, { message: "Begin" });
    const files = [{ filename: "src/pay.ts", patch: PATCH }];
    for (let index = 0; index < 65; index += 1) {
      acme.github.addCommit(repository, { message: `Change ${index}`, files });
    }

    const messages: unknown[] = [];
    let page: unknown = 1;
    while (page !== undefined) {
      const answer = await acme.run("compare_commits", { repository, base, head: "main", page });
      messages.push(...arrayIn(answer, "commits").map((commit) => commit));
      const changed = { path: "src/pay.ts", status: "modified", additions: 65, deletions: 65 };
      assert.deepEqual(arrayIn(answer, "files"), page === 1 ? [changed] : []);
      assert.partialDeepStrictEqual(answer, { status: "ahead", ahead_by: 65, behind_by: 0 });
      page = answer["next_page"];
    }

    assert.equal(messages.length, 65);
    assert.partialDeepStrictEqual(messages[0], { message: "Change 0" });
    assert.partialDeepStrictEqual(messages[64], { message: "Change 64" });
  });

  it("is shown as a diff, of a commit and of a pull request", async () => {
    await using acme = await startAcme();
    const files = [{ filename: "src/pay.ts", patch: PATCH }];
    acme.github.addCommit(repository, { message: "Begin" });
    const commit = acme.github.addCommit(repository, { message: "Retry", branch: "fix", files });
    const number = acme.github.addPullRequest(repository, { title: "Retry", head: "fix" });

    const ofCommit = await acme.run("get_commit_diff", { repository, commit });
    const ofPull = await acme.run("get_pull_request_diff", { repository, number });

    const text = `diff --git a/src/pay.ts b/src/pay.ts\n--- a/src/pay.ts\n+++ b/src/pay.ts\n${PATCH}\n`;
    assert.deepEqual(ofCommit, { text, offset: 0, total_characters: text.length });
    assert.deepEqual(ofPull, ofCommit);
  });

  it("is told by pull requests: who wrote them, from where to where, and what became of them", async () => {
    await using acme = await startAcme();
    acme.github.addCommit(repository, { message: "Begin" });
    acme.github.addCommit(repository, { message: "Fix", branch: "fix/it" });
    const asked = { head: "fix/it", author: "ana", body: "Because of the outage." };
    const open = acme.github.addPullRequest(repository, { title: "Fix it", ...asked });
    const merged = acme.github.addPullRequest(repository, { title: "Did", ...asked, merged: true });

    const listed = await acme.run("list_pull_requests", { repository });
    const closed = await acme.run("list_pull_requests", { repository, state: "closed" });
    const one = await acme.run("get_pull_request", { repository, number: open });

    const facts = { number: open, title: "Fix it", state: "open", author: "ana", head: "fix/it" };
    assert.partialDeepStrictEqual(listed, { pull_requests: [{ ...facts, base: "main" }] });
    assert.equal(arrayIn(listed, "pull_requests").length, 1);
    assert.partialDeepStrictEqual(closed, { pull_requests: [{ number: merged, state: "merged" }] });
    assert.partialDeepStrictEqual(one, { ...facts, body: asked.body, can_be_merged: true });
  });
});

describe("What ran", () => {
  it("is listed with how it ended, and shown with the steps that failed", async () => {
    await using acme = await startAcme();
    acme.github.addCommit(repository, { message: "Fix the card", author: "ana" });
    acme.github.addWorkflowRun(repository, { name: "CI", conclusion: "success" });
    const { runId: run_id } = acme.github.addWorkflowRun(repository, {
      name: "CI",
      conclusion: "failure",
      jobs: [
        { name: "lint", conclusion: "success", steps: [{ name: "lint", conclusion: "success" }] },
        {
          name: "test",
          conclusion: "failure",
          steps: [
            { name: "install", conclusion: "success" },
            { name: "unit", conclusion: "failure" },
            { name: "upload", conclusion: "skipped" },
          ],
        },
      ],
    });

    const failed = await acme.run("list_workflow_runs", { repository, status: "failure" });
    const shown = await acme.run("get_workflow_run", { repository, run_id });

    const facts = { id: run_id, title: "Fix the card", conclusion: "failure", actor: "ana" };
    assert.partialDeepStrictEqual(failed, { runs: [facts] });
    assert.equal(arrayIn(failed, "runs").length, 1);
    assert.partialDeepStrictEqual(recordIn(shown, "run"), facts);
    assert.partialDeepStrictEqual(shown, {
      jobs_total: 2,
      jobs: [
        { name: "lint", conclusion: "success", failed_steps: [] },
        { name: "test", conclusion: "failure", failed_steps: ["unit"] },
      ],
    });
  });

  it("shows every job of a run that has more than fit one answer", async () => {
    await using acme = await startAcme();
    const jobs = Array.from({ length: 120 }, (_, index) => ({
      name: `test (${index})`,
      conclusion: index === 119 ? "failure" : "success",
    }));
    const run = acme.github.addWorkflowRun(repository, { name: "CI", conclusion: "failure", jobs });

    const names: unknown[] = [];
    let page: unknown = 1;
    while (page !== undefined) {
      const input = { repository, run_id: run.runId, page };
      const answer = await acme.run("get_workflow_run", input);
      assert.equal(answer["jobs_total"], 120);
      names.push(...arrayIn(answer, "jobs").map((job) => (job as { name: string }).name));
      page = answer["next_page"];
    }

    assert.deepEqual(
      names,
      jobs.map(({ name }) => name),
    );
  });

  it("is deployed with the last state of each deployment", async () => {
    await using acme = await startAcme();
    const sha = acme.github.addCommit(repository, { message: "Fix" });
    const production = { environment: "production", ref: "main", author: "ana" };
    acme.github.addDeployment(repository, {
      ...production,
      statuses: [{ state: "in_progress" }, { state: "failure", description: "Timed out." }],
    });
    acme.github.addDeployment(repository, production);
    acme.github.addDeployment(repository, { environment: "staging", ref: "main" });

    const answer = await acme.run("list_deployments", { repository, environment: "production" });

    const facts = { ref: "main", sha, environment: "production", creator: "ana" };
    assert.partialDeepStrictEqual(answer, {
      deployments: [
        { ...facts, state: "pending" },
        { ...facts, state: "failure", state_description: "Timed out." },
      ],
    });
    assert.equal(arrayIn(answer, "deployments").length, 2);
  });
});

describe("What there is", () => {
  it("is listed through all pages", async () => {
    await using acme = await startAcme({ fake: { pageSizeMax: 20 } });
    const names = Array.from({ length: 44 }, (_, index) => `acme/service-${index}`);
    for (const name of names) acme.github.addRepository(name);

    const listed: unknown[] = [];
    let page: unknown = 1;
    while (page !== undefined) {
      const answer = await acme.run("list_repositories", { page });
      listed.push(
        ...arrayIn(answer, "repositories").map((each) => (each as { name: string }).name),
      );
      page = answer["next_page"];
    }

    assert.deepEqual(listed, [PAYMENTS, ...names]);
  });

  it("is read as text, and refused as a picture or a directory", async () => {
    await using acme = await startAcme();
    const files = { "src/pay.ts": "const a = 1;\r\n", "logo.png": "PNG\0\u0001" };
    acme.github.writeFiles(repository, files);

    const file = await acme.run("get_file", { repository, path: "/src/pay.ts" });
    const picture = await refusalOf(acme.run("get_file", { repository, path: "logo.png" }));
    const directory = await refusalOf(acme.run("get_file", { repository, path: "src" }));

    assert.deepEqual(file, { text: "const a = 1;\n", offset: 0, total_characters: 14 });
    for (const { kind, message } of [picture, directory]) {
      assert.equal(kind, "rejected");
      assert.match(message, /not a text file/);
    }
  });
});
