import { type Answer, type Call, type Route, numberParameter, query, webRoute } from "../call.ts";
import type { Core } from "../core.ts";
import type { Job } from "../records.ts";
import { Refusal, notFound } from "../refusal.ts";
import { type RepositoryCall, repositoryRoute } from "../repository-call.ts";

// https://docs.github.com/rest/actions/workflow-jobs#download-job-logs-for-a-workflow-run
const ADDRESS_MS = 60_000;

/** The log of a job, and the storage service that keeps it. */
export const LOG_ROUTES: readonly Route[] = [
  repositoryRoute("GET /repos/{owner}/{repo}/actions/jobs/{job_id}/logs", "actions:read", redirect),
  webRoute("GET /logs-storage/{job_id}", download),
];

function redirect(call: RepositoryCall): Answer {
  const { core, repository } = call;
  const id = numberParameter(call, "job_id");
  const job = repository.runs.flatMap(({ jobs }) => jobs).find((each) => each.id === id);
  if (job?.log === undefined) throw notFound();
  if (job.log === null) throw new Refusal(410, "Gone");
  const location = new URL(`${core.webUrl}/logs-storage/${id}`);
  const expiresAtMs = core.world.now() + ADDRESS_MS;
  location.searchParams.set("se", new Date(expiresAtMs).toISOString());
  location.searchParams.set("sig", core.credentials.secret(""));
  return { status: 302, headers: { location: location.href } };
}

/** The storage belongs to somebody else: a token of GitHub's has no business there. */
function download(call: Call): Answer {
  const { core, headers } = call;
  if (headers.authorization !== undefined) {
    throw new Refusal(400, "Authentication information is not given in the correct format.");
  }
  const expiresAt = Date.parse(query(call, "se") ?? "");
  const isSigned = core.credentials.issued.includes(query(call, "sig") ?? "");
  if (!isSigned || !(expiresAt > core.world.now())) {
    throw new Refusal(403, "Server failed to authenticate the request.");
  }
  const log = findJob(core, numberParameter(call, "job_id"))?.log;
  if (typeof log !== "string") throw notFound();
  return { status: 200, text: log, headers: { "content-type": "text/plain" } };
}

function findJob({ world }: Core, id: number): Job | undefined {
  return world.repositories
    .flatMap(({ runs }) => runs)
    .flatMap(({ jobs }) => jobs)
    .find((job) => job.id === id);
}
