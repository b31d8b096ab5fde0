import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConnectorError, type VendorFetch } from "@infragpt/connector-kit";
import { PAYMENTS, refusalOf, startAcme, type Acme } from "./github-testing.ts";

const repository = PAYMENTS;
const LOGS = "GET /repos/{owner}/{repo}/actions/jobs/{job_id}/logs";
const STORAGE = "GET /logs-storage/{job_id}";

describe("The log of a job", () => {
  it("is fetched from where GitHub keeps it, without a token of ours", async () => {
    await using acme = await startAcme();
    const job_id = aJob(acme, "1 failing\n");

    const answer = await acme.run("get_workflow_job_log", { repository, job_id });

    assert.partialDeepStrictEqual(answer, { text: "1 failing\n" });
    const [asked] = acme.github.calls(LOGS);
    const [fetched] = acme.github.calls(STORAGE);
    assert.equal(asked?.authKind, "installation");
    assert.equal(fetched?.authKind, "none");
    assert.doesNotMatch(JSON.stringify(fetched?.headers), /ghs_|authorization|cookie/i);
  });

  it("is not fetched by the guard while it is on GitHub's own host", async () => {
    const guard = aGuard();
    await using acme = await startAcme({ deps: { guardedFetch: guard.fetch } });
    const job_id = aJob(acme, "1 failing\n");

    await acme.run("get_workflow_job_log", { repository, job_id });

    assert.deepEqual(guard.calls, []);
  });

  it("is fetched by the guard alone when it is on another host", async () => {
    const guard = aGuard();
    // The same server, by another name than the one that its logs' addresses have.
    await using acme = await startAcme({
      deps: { guardedFetch: guard.fetch },
      config: ({ apiUrl, webUrl }) => ({ apiUrl: byName(apiUrl), webUrl: byName(webUrl) }),
    });
    const job_id = aJob(acme, "1 failing\n");

    const answer = await acme.run("get_workflow_job_log", { repository, job_id });

    assert.partialDeepStrictEqual(answer, { text: "1 failing\n" });
    assert.equal(guard.calls.length, 1);
    const [{ url, request }] = guard.calls as [(typeof guard.calls)[number]];
    assert.equal(
      `${url.origin}/${url.pathname.split("/")[1]}`,
      `${acme.github.webUrl}/logs-storage`,
    );
    assert.deepEqual(Object.keys(request.headers), []);
    assert.equal(request.method, "GET");
    assert.equal(request.redirect, "manual");
  });

  it("is not read when the guard refuses its address, and its secret is not told", async () => {
    await using acme = await startAcme({
      deps: { guardedFetch: refuse },
      config: ({ apiUrl, webUrl }) => ({ apiUrl: byName(apiUrl), webUrl: byName(webUrl) }),
    });
    const job_id = aJob(acme, "1 failing\n");

    const error = await refusalOf(acme.run("get_workflow_job_log", { repository, job_id }));

    assert.equal(error.kind, "rejected");
    for (const secret of acme.github.secrets()) assert.ok(!error.message.includes(secret));
    assert.deepEqual(acme.github.calls(STORAGE), []);
  });

  for (const status of [401, 403, 404, 429, 500]) {
    it(`can be asked for again when the storage answers ${status}, which says nothing of our token`, async () => {
      await using acme = await startAcme();
      const job_id = aJob(acme, "1 failing\n");
      await acme.run("get_workflow_job_log", { repository, job_id });
      acme.github.fail(STORAGE, { kind: "http", status });

      const error = await refusalOf(acme.run("get_workflow_job_log", { repository, job_id }));

      assert.equal(error.kind, "unavailable");
      assert.equal(error.vendorCode, `http_${status}`);
      assert.equal(acme.github.tokenRequests().length, 1);
      await acme.run("get_workflow_job_log", { repository, job_id });
    });
  }

  it("of a job that does not exist is no log", async () => {
    await using acme = await startAcme();

    const error = await refusalOf(acme.run("get_workflow_job_log", { repository, job_id: 7 }));

    assert.equal(error.kind, "rejected");
    assert.match(error.message, /404 .*Not Found/);
  });
});

function aJob({ github }: Acme, log: string): number | undefined {
  const jobs = [{ name: "test", conclusion: "failure", log }];
  return github.addWorkflowRun(repository, { name: "CI", conclusion: "failure", jobs }).jobIds[0];
}

/** A guard that lets everything through and remembers it. */
function aGuard() {
  const calls: { readonly url: URL; readonly request: Parameters<VendorFetch>[1] }[] = [];
  return {
    calls,
    async fetch(...[url, request]: Parameters<VendorFetch>): Promise<Response> {
      calls.push({ url, request });
      return fetch(url, request);
    },
  };
}

function refuse(): Promise<Response> {
  return Promise.reject(new ConnectorError("rejected", "This address may not be called."));
}

function byName(address: string): string {
  return address.replace("127.0.0.1", "localhost");
}
