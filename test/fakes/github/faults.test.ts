import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { type GitHubFault, startFakeGitHub } from "./index.ts";
import { makeOctokit, statusOf } from "./octokit-app.ts";

const ISSUES = "POST /repos/{owner}/{repo}/issues";
const SLOW = { owner: "acme", repo: "api", title: "Slow" };

describe("faults of the fake GitHub", () => {
  it("refuse a call as GitHub does, and perform nothing", async () => {
    await using github = await startFakeGitHub({ now: () => 1_800_000_000_000 });
    github.addUser("acme");
    github.addRepository("acme/api");
    const faults: readonly GitHubFault[] = [
      { kind: "http", status: 502 },
      { kind: "rate_limited", retryAfterSeconds: 7 },
      { kind: "secondary_limit", retryAfterSeconds: 8 },
      { kind: "primary_limit", resetInSeconds: 9 },
      { kind: "unauthorized" },
    ];
    for (const fault of faults) github.fail("*", fault);

    const told = [];
    for (const _ of faults) {
      const { status, headers } = await fetch(`${github.apiUrl}/repos/acme/api`);
      const reset = headers.get("x-ratelimit-remaining") === "0" && "x-ratelimit-reset";
      told.push([status, headers.get("retry-after"), reset && headers.get(reset)]);
    }

    assert.deepEqual(told, [
      [502, null, false],
      [429, "7", false],
      [403, "8", false],
      [403, null, "1800000009"],
      [401, null, false],
    ]);
    assert.equal(github.changes(), 0);
    assert.equal(github.calls("*").length, 5);
  });

  it("hang, lose an answer or break it", async () => {
    await using github = await startFakeGitHub();
    github.addUser("acme");
    github.addRepository("acme/api");
    const octokit = await makeOctokit(github, github.install("acme"));
    github.fail(ISSUES, { kind: "hang" });
    github.fail(ISSUES, { kind: "close_after_performing" });
    github.fail(ISSUES, { kind: "bad_json" });
    const giveUp = new AbortController();

    const hanging = octokit.request(ISSUES, { ...SLOW, request: { signal: giveUp.signal } });
    await github.waitForCalls(ISSUES, 1);
    giveUp.abort();
    await assert.rejects(hanging);
    const afterHanging = github.changes();
    const lost = await statusOf(octokit.request(ISSUES, SLOW));
    const broken = await octokit.request(ISSUES, SLOW);

    assert.equal(afterHanging, 0);
    assert.equal(lost, 500);
    assert.equal(typeof broken.data, "string");
    assert.equal(github.changes(), 2);
    assert.equal((await octokit.request(ISSUES, SLOW)).data.number, 3);
  });

  it("can be planned for known routes only", async () => {
    await using github = await startFakeGitHub();

    github.fail("GET /app/installations/{id}", { kind: "unauthorized" });

    assert.throws(() => github.fail("GET /nowhere", { kind: "hang" }), /has no route/);
    assert.throws(() => github.calls("GET /nowhere"), /has no route/);
    assert.equal((await fetch(`${github.apiUrl}/app/installations/1`)).status, 401);
    assert.equal((await fetch(`${github.apiUrl}/nowhere`)).status, 404);
  });
});
