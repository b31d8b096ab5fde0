import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toConnectorError } from "./errors.ts";
import { PAYMENTS, aClock, refusalOf, startAcme, type Acme } from "./github-testing.ts";

const repository = PAYMENTS;
const COMMITS = "GET /repos/{owner}/{repo}/commits";
const MINUTE_MS = 60_000;

describe("A limit of GitHub's", () => {
  it("says how long to wait: until the hour's calls are given anew", async () => {
    const clock = aClock();
    await using acme = await startAcme({ fake: { now: clock.nowMs }, deps: { clock } });
    acme.github.fail(COMMITS, { kind: "primary_limit", resetInSeconds: 1_234 });

    const error = await refusalOf(acme.run("list_commits", { repository }));

    assert.equal(error.kind, "rate_limited");
    assert.equal(error.retryAfterMs, 1_234_000);
  });

  it("is waited for by GitHub's clock, however wrong ours is", async () => {
    const clock = aClock();
    const fake = { now: () => clock.nowMs() - 20 * MINUTE_MS };
    await using acme = await startAcme({ fake, deps: { clock } });
    acme.github.fail(COMMITS, { kind: "primary_limit", resetInSeconds: 600 });

    const error = await refusalOf(acme.run("list_commits", { repository }));

    assert.equal(error.retryAfterMs, 600_000);
  });

  it("says how long to wait after too many calls at once, and nothing is written", async () => {
    await using acme = await startAcme();
    const route = "POST /repos/{owner}/{repo}/issues";
    acme.github.fail(route, { kind: "secondary_limit", retryAfterSeconds: 90 });

    const error = await refusalOf(acme.run("create_issue", { repository, title: "X" }));

    assert.equal(error.kind, "rate_limited");
    assert.equal(error.retryAfterMs, 90_000);
    assert.equal(acme.github.changes(), 0);
  });

  it("is met when a token is asked for, too", async () => {
    await using acme = await startAcme();
    const route = "POST /app/installations/{installation_id}/access_tokens";
    acme.github.fail(route, { kind: "rate_limited", retryAfterSeconds: 5 });

    const error = await refusalOf(acme.run("list_commits", { repository }));

    assert.equal(error.kind, "rate_limited");
    assert.equal(error.retryAfterMs, 5_000);
  });

  it("is a minute when GitHub names no time", () => {
    const documentation_url =
      "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits";
    for (const [status, data] of [
      [403, { message: "You have exceeded a secondary rate limit.", documentation_url }],
      [429, { message: "Too many requests." }],
    ] as const) {
      const { kind, retryAfterMs } = toConnectorError(
        { status, headers: { "x-ratelimit-remaining": "4000" }, data, call: "GET /x" },
        0,
      );
      assert.deepEqual({ kind, retryAfterMs }, { kind: "rate_limited", retryAfterMs: MINUTE_MS });
    }
  });
});

describe("A refusal", () => {
  it("reaches the caller in GitHub's own words", async () => {
    await using acme = await startAcme();
    acme.github.addCommit(repository, { message: "Begin" });
    acme.github.addCommit(repository, { message: "Fix", branch: "fix" });
    const asked = { repository, title: "Fix", head: "fix", base: "main" };

    const same = await refusalOf(acme.run("open_pull_request", { ...asked, head: "main" }));
    const noHead = await refusalOf(acme.run("open_pull_request", { ...asked, head: "typo" }));
    const noBase = await refusalOf(acme.run("open_pull_request", { ...asked, base: "typo" }));

    for (const error of [same, noHead, noBase]) assert.equal(error.kind, "rejected");
    assert.match(same.message, /Validation Failed \(No commits between main and main\)/);
    assert.match(noHead.message, /\(head: invalid\)/);
    assert.match(noBase.message, /\(base: invalid\)/);
  });

  it("has one line of at most 400 characters, whatever GitHub repeats", () => {
    const evil = `a\n\u001b[31m\u202e${"x".repeat(10_000)}`;
    for (const data of [
      { message: evil },
      { message: "Validation Failed", errors: [evil, { message: evil }, 7, null] },
      { message: "Validation Failed", errors: [{ field: evil, code: evil }] },
      { message: "Validation Failed", errors: evil },
      { message: 7, errors: { a: 1 } },
      "<html>",
      null,
    ]) {
      const { kind, message } = toConnectorError(
        { status: 422, headers: {}, data, call: "POST /repos/{owner}/{repo}/pulls" },
        0,
      );
      assert.equal(kind, "rejected");
      assert.ok(message.length <= 400, message);
      assert.doesNotMatch(message, /\p{Cc}|\p{Cf}/u);
    }
  });

  it("of what is gone for good says so", async () => {
    await using acme = await startAcme();
    const jobs = [{ name: "test", conclusion: "failure", log: null }];
    const run = acme.github.addWorkflowRun(repository, { name: "CI", conclusion: "failure", jobs });

    const input = { repository, job_id: run.jobIds[0] };
    const error = await refusalOf(acme.run("get_workflow_job_log", input));

    assert.equal(error.kind, "gone");
  });
});

describe("A repository that was renamed", () => {
  it("is read by its former name", async () => {
    await using acme = await startAcme();
    const { inputs } = await rename(acme);

    for (const [name, input] of Object.entries(inputs)) {
      const answer = await acme.run(name, { repository, ...input });
      assert.match(JSON.stringify(answer), /declined/, name);
    }

    const [first, looking, byId] = acme.github.tokenRequests();
    assert.deepEqual(first?.repositories, ["payments"]);
    assert.deepEqual(looking?.permissions, { metadata: "read" });
    assert.equal(byId?.repositoryIds?.length, 1);
  });

  it("is written to by its former name, once", async () => {
    await using acme = await startAcme();
    await rename(acme);

    await acme.run("create_issue", { repository, title: "Card payments fail" });

    assert.equal(acme.github.changes(), 1);
    assert.equal(acme.github.issues("acme/billing").length, 1);
  });

  it("needs no other token while one from before is good", async () => {
    await using acme = await startAcme();
    acme.github.addCommit(repository, { message: "declined" });
    await acme.run("list_commits", { repository });
    acme.github.renameRepository(repository, "acme/billing");

    const answer = await acme.run("list_commits", { repository });

    assert.match(JSON.stringify(answer), /declined/);
    assert.equal(acme.github.tokenRequests().length, 1);
  });

  it("gives its name to another one, which is meant from then on", async () => {
    await using acme = await startAcme();
    await rename(acme);
    acme.github.addRepository(repository);
    acme.github.addCommit(repository, { message: "The new one" });

    const answer = await acme.run("list_commits", { repository });

    assert.match(JSON.stringify(answer), /The new one/);
  });
});

async function rename({ github }: Acme) {
  const files = [{ filename: "pay.ts", patch: "@@ -1 +1 @@\n-ok\n+declined" }];
  const commit = github.addCommit(repository, { message: "declined", files });
  github.writeFiles(repository, { "pay.ts": "declined" });
  const jobs = [{ name: "declined", conclusion: "failure", log: "declined\n" }];
  const run = github.addWorkflowRun(repository, { name: "CI", conclusion: "failure", jobs });
  github.renameRepository(repository, "acme/billing");
  return {
    inputs: {
      list_commits: {},
      get_file: { path: "pay.ts" },
      get_commit_diff: { commit },
      get_workflow_run: { run_id: run.runId },
      get_workflow_job_log: { job_id: run.jobIds[0] },
    },
  };
}
