import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PAYMENTS, aClock, refusalOf, startAcme, type Acme } from "./github-testing.ts";

const repository = PAYMENTS;
const MINUTE_MS = 60_000;

describe("The token of a call", () => {
  it("may do what the operation needs and nothing else, in its one repository", async () => {
    await using acme = await startAcme();
    const inputs = fill(acme);

    for (const { name, needs = [] } of acme.connector.operations ?? []) {
      const before = acme.github.tokenRequests().length;
      await acme.run(name, inputs[name] ?? { repository });

      const permissions = Object.fromEntries(needs.map((need) => need.split(":", 2)));
      // Those of one narrowing share a token.
      const asked = acme.github.tokenRequests().slice(before);
      const isWide = name === "list_repositories";
      for (const { installationId, ...narrowing } of asked) {
        assert.equal(String(installationId), acme.connection.accountId);
        const place = isWide ? {} : { repositories: ["payments"] };
        assert.deepEqual(narrowing, { permissions, ...place }, name);
      }
    }
    const asked = acme.github.tokenRequests().map(({ permissions }) => JSON.stringify(permissions));
    assert.equal(new Set(asked).size, 8);
    assert.equal(asked.length, 8);
  });

  it("reaches every shared repository only where all of them are searched", async () => {
    await using acme = await startAcme();

    await acme.run("search_code", { query: "declined" });
    await acme.run("search_code", { query: "declined", repository });

    assert.deepEqual(
      acme.github.tokenRequests().map(({ repositories }) => repositories),
      [undefined, ["payments"]],
    );
  });

  it("is used again for the same narrowing, and for no other", async () => {
    await using acme = await startAcme();
    acme.github.addRepository("acme/ledger");
    acme.github.addCommit(repository, { message: "Begin" });
    acme.github.addCommit("acme/ledger", { message: "Begin" });

    await acme.run("list_commits", { repository });
    await acme.run("list_commits", { repository: "ACME/Payments" });
    await acme.run("get_commit_diff", { repository, commit: "main" });
    assert.equal(acme.github.tokenRequests().length, 1);

    await acme.run("list_commits", { repository: "acme/ledger" });
    await acme.run("list_pull_requests", { repository });
    assert.equal(acme.github.tokenRequests().length, 3);
  });

  it("is another one for another installation, and does not reach the first", async () => {
    await using acme = await startAcme();
    acme.github.addCommit(repository, { message: "Begin" });
    acme.github.addOrganization("beta", { ben: "admin" });
    acme.github.addRepository("beta/payments");
    const accountId = String(acme.github.install("beta"));
    const operation = acme.connector.operations?.find(({ name }) => name === "list_commits");

    await acme.run("list_commits", { repository });
    const call = operation!.run(
      { ...acme.connection, accountId },
      operation!.input.parse({ repository }),
      { signal: AbortSignal.timeout(5_000) },
    );

    const { kind, vendorCode } = await refusalOf(call);
    assert.deepEqual({ kind, vendorCode }, { kind: "rejected", vendorCode: "http_404" });
  });

  it("is renewed ten minutes before its end, and not sooner", async () => {
    const clock = aClock();
    await using acme = await startAcme({ fake: { now: clock.nowMs }, deps: { clock } });
    acme.github.addCommit(repository, { message: "Begin" });

    for (const [minutes, count] of [
      [0, 1],
      [49, 1],
      [2, 2],
      [49, 2],
    ] as const) {
      clock.pass(minutes * MINUTE_MS);
      await acme.run("list_commits", { repository });
      assert.equal(acme.github.tokenRequests().length, count, `after ${minutes} minutes`);
    }
  });
});

describe("A token that GitHub refuses", () => {
  it("is asked for anew when it came from memory, for reads and for writes", async () => {
    await using acme = await startAcme();
    acme.github.addCommit(repository, { message: "Begin" });
    await acme.run("list_commits", { repository });
    await acme.run("create_issue", { repository, title: "First" });
    acme.github.fail("GET /repos/{owner}/{repo}/commits", { kind: "unauthorized" });
    acme.github.fail("POST /repos/{owner}/{repo}/issues", { kind: "unauthorized" });

    await acme.run("list_commits", { repository });
    await acme.run("create_issue", { repository, title: "Second" });

    assert.equal(acme.github.tokenRequests().length, 4);
    assert.deepEqual(
      acme.github.issues(repository).map(({ title }) => title),
      ["First", "Second"],
    );
  });

  it("is not asked for a third time", async () => {
    await using acme = await startAcme();
    acme.github.addCommit(repository, { message: "Begin" });
    await acme.run("list_commits", { repository });
    const route = "GET /repos/{owner}/{repo}/commits";
    acme.github.fail(route, { kind: "unauthorized" }, { times: Number.POSITIVE_INFINITY });

    const { kind } = await refusalOf(acme.run("list_commits", { repository }));

    assert.equal(kind, "unauthorized");
    assert.equal(acme.github.tokenRequests().length, 2);
    assert.equal(acme.github.calls(route).length, 3);
  });

  it("is not asked for again when it was fresh", async () => {
    await using acme = await startAcme();
    acme.github.fail("POST /repos/{owner}/{repo}/issues", { kind: "unauthorized" });

    const { kind } = await refusalOf(acme.run("create_issue", { repository, title: "Once" }));

    assert.equal(kind, "unauthorized");
    assert.equal(acme.github.tokenRequests().length, 1);
    assert.equal(acme.github.changes(), 0);
  });
});

describe("A token that GitHub does not give", () => {
  it("names the permission that was not granted", async () => {
    await using acme = await startAcme({ install: { permissions: { contents: "read" } } });

    const { kind, message } = await refusalOf(acme.run("create_issue", { repository, title: "X" }));

    assert.equal(kind, "missing_permission");
    assert.match(message, /not granted issues:write/);
  });

  it("names the repository that is not shared, and another's of the same name", async () => {
    await using acme = await startAcme({ install: { repositories: [PAYMENTS] } });
    acme.github.addRepository("acme/secrets");
    acme.github.addOrganization("beta", { ben: "admin" });
    acme.github.addRepository("beta/payments");

    const unshared = await refusalOf(acme.run("list_commits", { repository: "acme/secrets" }));
    const foreign = await refusalOf(acme.run("list_commits", { repository: "beta/payments" }));

    assert.equal(unshared.kind, "missing_permission");
    assert.match(unshared.message, /acme\/secrets is not shared/);
    assert.equal(foreign.kind, "rejected");
    assert.equal(foreign.vendorCode, "http_404");
  });

  it("says that the app was uninstalled or suspended", async () => {
    await using acme = await startAcme();
    const id = Number(acme.connection.accountId);

    await acme.github.suspend(id);
    const suspended = await refusalOf(acme.run("list_commits", { repository }));
    await acme.github.uninstall(id);
    const uninstalled = await refusalOf(acme.run("list_commits", { repository }));

    assert.equal(suspended.kind, "missing_permission");
    assert.match(suspended.message, /suspended/);
    assert.equal(uninstalled.kind, "unauthorized");
    assert.match(uninstalled.message, /no longer installed/);
  });
});

function fill({ github }: Acme): Readonly<Record<string, object>> {
  const base = github.addCommit(repository, { message: "Begin" });
  github.addCommit(repository, { message: "Fix", branch: "fix" });
  github.addCommit(repository, { message: "Retry", branch: "retry" });
  github.writeFiles(repository, { "pay.ts": "declined" });
  const number = github.addPullRequest(repository, { title: "Fix", head: "fix" });
  const jobs = [{ name: "test", conclusion: "failure", log: "1 failing\n" }];
  const run = github.addWorkflowRun(repository, { name: "CI", conclusion: "failure", jobs });
  const [job_id] = run.jobIds;
  return {
    list_repositories: {},
    search_code: { repository, query: "declined" },
    get_file: { repository, path: "pay.ts" },
    get_commit_diff: { repository, commit: base },
    compare_commits: { repository, base, head: "fix" },
    get_pull_request: { repository, number },
    get_pull_request_diff: { repository, number },
    open_pull_request: { repository, title: "Retry", head: "retry", base: "main" },
    get_workflow_run: { repository, run_id: run.runId },
    get_workflow_job_log: { repository, job_id },
    rerun_workflow: { repository, run_id: run.runId },
    create_issue: { repository, title: "Card payments fail" },
    create_comment: { repository, number, body: "Looking at it." },
  };
}
