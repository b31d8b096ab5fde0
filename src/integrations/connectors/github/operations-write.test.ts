import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PAYMENTS, refusalOf, startAcme, type Acme } from "./github-testing.ts";

const repository = PAYMENTS;

describe("A write", () => {
  it("opens an issue with its words and labels", async () => {
    await using acme = await startAcme();
    const text = { title: "Cards 支払い 💥", body: "Since 10:00.\n\n- `declined`" };

    const answer = await acme.run("create_issue", { repository, ...text, labels: ["incident"] });

    assert.deepEqual(answer, { number: 1, url: `${acme.github.webUrl}/acme/payments/issues/1` });
    assert.partialDeepStrictEqual(acme.github.issues(repository), [
      { number: 1, ...text, labels: ["incident"] },
    ]);
  });

  it("comments on an issue and on a pull request", async () => {
    await using acme = await startAcme();
    acme.github.addCommit(repository, { message: "Begin" });
    const issue = acme.github.addIssue(repository, { title: "Cards" });
    const pull = acme.github.addPullRequest(repository, { title: "Fix", head: "main" });

    for (const number of [issue, pull]) {
      const answer = await acme.run("create_comment", { repository, number, body: "On it." });
      const end = `/${number}#issuecomment-${String(answer["id"])}`;
      assert.ok(String(answer["url"]).endsWith(end));
    }

    for (const { comments } of acme.github.issues(repository)) {
      assert.deepEqual(comments, [{ body: "On it." }]);
    }
  });

  it("opens a pull request from a branch, as a draft when asked to", async () => {
    await using acme = await startAcme();
    acme.github.addCommit(repository, { message: "Begin" });
    acme.github.addCommit(repository, { message: "Fix", branch: "fix/it" });
    const asked = { title: "Fix it", head: "fix/it", base: "main", body: "Why.", is_draft: true };

    const { number } = await acme.run("open_pull_request", { repository, ...asked });

    const pull = await acme.run("get_pull_request", { repository, number });
    assert.partialDeepStrictEqual(pull, asked);
  });

  it("runs a workflow again, whole or the failed jobs only", async () => {
    await using acme = await startAcme();
    const failed = { name: "CI", conclusion: "failure" };
    const { runId: whole } = acme.github.addWorkflowRun(repository, failed);
    const { runId: part } = acme.github.addWorkflowRun(repository, failed);

    await acme.run("rerun_workflow", { repository, run_id: whole });
    await acme.run("rerun_workflow", { repository, run_id: part, only_failed_jobs: true });

    assert.deepEqual(acme.github.reruns(repository), [
      { runId: whole, onlyFailed: false },
      { runId: part, onlyFailed: true },
    ]);
    const again = await refusalOf(acme.run("rerun_workflow", { repository, run_id: whole }));
    assert.match(again.message, /This workflow is already running/);
  });
});

describe("A write whose answer is lost", () => {
  for (const name of ["create_issue", "create_comment", "open_pull_request", "rerun_workflow"]) {
    it(`may have happened, and is not tried again: ${name}`, async () => {
      await using acme = await startAcme();
      const input = fill(acme)[name] ?? {};
      await acme.run("list_repositories", {});

      acme.github.fail(ROUTES[name] ?? "", { kind: "close_after_performing" });
      const lost = await refusalOf(acme.run(name, { repository, ...input }));

      assert.equal(lost.kind, "uncertain");
      assert.equal(acme.github.calls(ROUTES[name] ?? "").length, 1);
      assert.equal(acme.github.changes(), 1);
    });

    it(`may have happened when GitHub breaks half-way: ${name}`, async () => {
      await using acme = await startAcme();
      const input = fill(acme)[name] ?? {};
      for (const fault of [{ kind: "http", status: 502 }, { kind: "bad_json" }] as const) {
        acme.github.fail(ROUTES[name] ?? "", fault);
        const { kind } = await refusalOf(acme.run(name, { repository, ...input }));
        assert.equal(kind, "uncertain");
      }
      assert.equal(acme.github.calls(ROUTES[name] ?? "").length, 2);
    });
  }

  it("did not happen when no token was given", async () => {
    await using acme = await startAcme();
    const route = "POST /app/installations/{installation_id}/access_tokens";

    acme.github.fail(route, { kind: "http", status: 502 });
    const { kind } = await refusalOf(acme.run("create_issue", { repository, title: "X" }));

    assert.equal(kind, "unavailable");
    assert.equal(acme.github.changes(), 0);
  });
});

const ROUTES: Readonly<Record<string, string>> = {
  create_issue: "POST /repos/{owner}/{repo}/issues",
  create_comment: "POST /repos/{owner}/{repo}/issues/{issue_number}/comments",
  open_pull_request: "POST /repos/{owner}/{repo}/pulls",
  rerun_workflow: "POST /repos/{owner}/{repo}/actions/runs/{run_id}/rerun",
};

function fill({ github }: Acme): Readonly<Record<string, object>> {
  github.addCommit(repository, { message: "Begin" });
  github.addCommit(repository, { message: "Fix", branch: "fix" });
  const number = github.addIssue(repository, { title: "Cards" });
  const { runId } = github.addWorkflowRun(repository, { name: "CI", conclusion: "failure" });
  return {
    create_issue: { title: "Card payments fail" },
    create_comment: { number, body: "Looking at it." },
    open_pull_request: { title: "Fix", head: "fix", base: "main" },
    rerun_workflow: { run_id: runId },
  };
}
