import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { arrayIn, type UntrustedRecord } from "@infragpt/connector-kit";
import { PAYMENTS, startAcme, type Acme } from "./github-testing.ts";

const repository = PAYMENTS;
/** Three bytes a character, four for two, two with their escape, and six. */
const WORDS = ["支払いに失敗しました", "💥", '"\\\t\n', "\u0000\u001b"];

describe("An answer of at most 64 KiB", () => {
  for (const words of WORDS) {
    const huge = words.repeat(Math.ceil(60_000 / words.length));

    it(`holds a whole page whoever wrote its texts: ${JSON.stringify(words)}`, async () => {
      await using acme = await startAcme();
      const { base, number, run_id } = fill(acme, huge);

      const compared = { repository, base, head: "main" };
      const answers: readonly (readonly [UntrustedRecord, string, number])[] = [
        [await acme.run("list_commits", { repository }), "commits", 30],
        [await acme.run("compare_commits", compared), "commits", 30],
        [await acme.run("list_pull_requests", { repository }), "pull_requests", 30],
        [await acme.run("list_workflow_runs", { repository }), "runs", 30],
        [await acme.run("get_workflow_run", { repository, run_id }), "jobs", 50],
        [await acme.run("list_deployments", { repository }), "deployments", 10],
        [await acme.run("search_code", { query: "declined" }), "matches", 30],
      ];
      const pull = await acme.run("get_pull_request", { repository, number });

      for (const [answer, name, count] of answers) {
        assert.equal(arrayIn(answer, name).length, count, name);
      }
      assert.equal(pull["number"], number);
      assert.doesNotMatch(JSON.stringify([answers, pull]), /\\u00/);
    });
  }

  it("keeps ids, times, states and addresses whole where texts are cut", async () => {
    await using acme = await startAcme();
    const message = "💥".repeat(30_000);
    const sha = acme.github.addCommit(repository, { message, author: "ana" });

    const answer = await acme.run("list_commits", { repository });

    const [commit] = arrayIn(answer, "commits") as readonly [Record<string, string>];
    assert.equal(commit["message"], "💥".repeat(250));
    assert.equal(commit["sha"], sha);
    assert.equal(commit["author"], "ana");
    assert.equal(commit["url"], `${acme.github.webUrl}/acme/payments/commit/${sha}`);
    assert.ok(Date.parse(commit["committed_at"] ?? "") > 0);
  });

  it("names all of 100 changed files, or says how many more there are", async () => {
    await using acme = await startAcme();
    const base = acme.github.addCommit(repository, { message: "Begin" });
    const short = await compare(acme, base, "a".repeat(250));
    const long = await compare(acme, base, "支".repeat(250));

    assert.equal(arrayIn(short, "files").length + Number(short["more_files"] ?? 0), 100);
    assert.equal(arrayIn(long, "files").length + Number(long["more_files"] ?? 0), 100);
    assert.ok(arrayIn(short, "files").length >= 70, "fewer files than fit");
    assert.partialDeepStrictEqual(long, { files: [{ path: `${"支".repeat(250)}-0` }] });
  });
});

async function compare(acme: Acme, base: string, name: string): Promise<UntrustedRecord> {
  const branch = `of-${name.charCodeAt(0)}`;
  const files = Array.from({ length: 100 }, (_, index) => ({
    filename: `${name}-${index}`,
    patch: "@@ -0,0 +1 @@\n+new",
  }));
  acme.github.addCommit(repository, { message: "Change", branch, files });
  return acme.run("compare_commits", { repository, base, head: branch });
}

/** More than a page of everything, with as much text as nobody would write. */
function fill({ github }: Acme, huge: string) {
  const long = huge.slice(0, 1_000);
  const base = github.addCommit(repository, { message: huge });
  const files = Array.from({ length: 100 }, (_, index) => ({
    filename: `${index}-${huge.slice(0, 250)}`,
    patch: "@@ -0,0 +1 @@\n+new",
  }));
  for (let index = 0; index < 31; index += 1) {
    github.addCommit(repository, { message: huge, author: long, files: index ? [] : files });
    github.writeFiles(repository, { [`${index}/${long}`]: `${long}declined${long}` });
    github.addDeployment(repository, {
      environment: long,
      ref: long,
      description: huge,
      statuses: [{ state: "failure", description: huge }],
    });
  }
  const pull = { title: long, head: long, base: long, body: huge, diff: "" };
  const numbers = Array.from({ length: 31 }, () => github.addPullRequest(repository, pull));
  const steps = Array.from({ length: 40 }, () => ({ name: long, conclusion: "failure" }));
  const jobs = Array.from({ length: 51 }, () => ({ name: long, conclusion: "failure", steps }));
  const run = { name: long, branch: long, event: "push", conclusion: "failure" };
  for (let index = 0; index < 30; index += 1) github.addWorkflowRun(repository, run);
  const { runId } = github.addWorkflowRun(repository, { ...run, jobs });
  return { base, number: numbers[0], run_id: runId };
}
