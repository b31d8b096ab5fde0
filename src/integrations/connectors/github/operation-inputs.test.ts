import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Secret } from "@infragpt/connector-kit";
import { anotherKey } from "./github-testing.ts";
import { createGitHubConnector } from "./create-connector.ts";

/** Nothing listens there: whatever is sent fails. */
const { operations = [] } = createGitHubConnector(
  {
    appId: "1",
    privateKey: new Secret(anotherKey()),
    webhookSecrets: [],
    apiUrl: "http://127.0.0.1:9/api/v3",
    webUrl: "http://127.0.0.1:9",
    callTimeoutMs: 1_000,
  },
  { guardedFetch: fetch },
);
const HUGE = "x".repeat(10_000_000);
/** A good input for each operation, with every field that it has. */
const GOOD: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  list_repositories: { page: 2 },
  list_commits: {
    repository: "acme/payments",
    branch: "fix/card-🃏",
    path: "src/日本語/.env",
    author: "ana_acme",
    since: "2026-11-01T10:00:00Z",
    until: "2026-11-02T10:00:00+02:00",
    page: 1,
  },
  search_code: { query: '"org: 1" path:src declined', repository: "ana_acme/.github", page: 1 },
  get_file: { repository: "acme/payments", path: "a b/...c", ref: "v1.0", offset: 0 },
  get_commit_diff: { repository: "acme/payments", commit: "abcdef1", offset: 1 },
  compare_commits: { repository: "acme/payments", base: "v1", head: "release/2.0", page: 1 },
  list_pull_requests: {
    repository: "acme/payments",
    state: "all",
    base: "main",
    head: "acme:fix",
    page: 1,
  },
  get_pull_request: { repository: "acme/payments", number: 1 },
  get_pull_request_diff: { repository: "acme/payments", number: 1, offset: 1 },
  open_pull_request: {
    repository: "acme/payments",
    title: "Fix",
    head: "fix",
    base: "main",
    body: "a\n\tb",
    is_draft: true,
  },
  list_workflow_runs: {
    repository: "acme/payments",
    branch: "main",
    event: "push",
    status: "failure",
    page: 1,
  },
  get_workflow_run: { repository: "acme/payments", run_id: 1, page: 1 },
  get_workflow_job_log: { repository: "acme/payments", job_id: 19_000_000_000, offset: 1 },
  rerun_workflow: { repository: "acme/payments", run_id: 1, only_failed_jobs: true },
  list_deployments: { repository: "acme/payments", environment: "prod eu", ref: "main", page: 1 },
  create_issue: { repository: "acme/payments", title: "Cards", body: "a\n\tb", labels: ["bug"] },
  create_comment: { repository: "acme/payments", number: 1, body: "On it." },
};
const TEXT = [HUGE, 1, null, {}, "a\0b"];
const LINE = [...TEXT, "", "a\nb", "a\u001bb"];
const REF = [...LINE, "a..b", "..", "../x", "a/../b", "/a", "./a", "a b", "a:b", "a~1", "a^", "*"];
const PATH = [...LINE, "..", ".", "../x", "a/../../b", "a/.."];
const NUMBER = [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60, "1", null];
/** What no field of that name may be. */
const BAD: Readonly<Record<string, readonly unknown[]>> = {
  repository: [
    ...PATH,
    "payments",
    "a/b/c",
    "acme/..",
    "acme/.",
    "../payments",
    "./payments",
    "/payments",
    "acme/",
    "acme/pay ments",
    "acme/pay%2e%2e",
    "acme/a?b",
    "acme/a#b",
    "ac.me/payments",
    "https://github.com/acme/payments",
    "acme/payments\n",
    `acme/${"a".repeat(101)}`,
  ],
  path: PATH,
  branch: REF,
  ref: REF,
  commit: REF,
  base: REF,
  author: LINE,
  environment: LINE,
  title: LINE,
  query: [...LINE, "repo:beta/x declined", "x ORG:beta", '"a" user:ben', "-repo:acme/x", '"org:b'],
  body: TEXT,
  labels: [[HUGE], [1], Array.from({ length: 21 }, () => "bug"), "bug"],
  since: ["yesterday", "2026-11-01", HUGE],
  until: ["tomorrow", "2026-13-01T00:00:00Z"],
  event: ["push pull", "PUSH", HUGE],
  state: ["merged", ""],
  status: ["broken", ""],
  page: NUMBER,
  number: NUMBER,
  run_id: NUMBER,
  job_id: NUMBER,
  offset: [-1, 0.5, 10 ** 9, "1"],
  is_draft: ["yes", 1],
  only_failed_jobs: ["yes", 1],
};

describe("The input of an operation", () => {
  for (const { name, input } of operations) {
    const good = GOOD[name] ?? {};

    it(`of ${name} takes what people mean, and no field that it does not know`, () => {
      assert.deepEqual(Object.keys(input.shape).toSorted(), Object.keys(good).toSorted());
      assert.deepEqual(input.parse(good), good);
      assert.equal(input.safeParse({ ...good, owner: "acme" }).success, false);
    });

    it(`of ${name} refuses what leads elsewhere, is endless or is no text, at once`, () => {
      const startedMs = performance.now();
      for (const field of Object.keys(good)) {
        const bad = BAD[field === "head" && name === "list_pull_requests" ? "author" : field];
        for (const value of bad ?? REF) {
          const shown = JSON.stringify(value)?.slice(0, 40);
          const { success } = input.safeParse({ ...good, [field]: value });
          assert.equal(success, false, `${field}: ${shown}`);
        }
      }
      assert.ok(performance.now() - startedMs < 5_000);
    });
  }
});
