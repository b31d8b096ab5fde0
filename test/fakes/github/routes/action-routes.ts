import { type Answer, type Route, numberParameter, query } from "../call.ts";
import type { JsonObject } from "../model.ts";
import { countedAnswer } from "../pages.ts";
import type { Job, WorkflowRun } from "../records.ts";
import { Refusal, notFound } from "../refusal.ts";
import { type RepositoryCall, repositoryRoute } from "../repository-call.ts";
import { timestamp } from "../timestamps.ts";
import { nodeId, wireActor, wireRepository } from "../wire.ts";
import { fullNameOf } from "../world.ts";

const RUN = "/repos/{owner}/{repo}/actions/runs/{run_id}";

/** Workflow runs. */
export const ACTION_ROUTES: readonly Route[] = [
  repositoryRoute("GET /repos/{owner}/{repo}/actions/runs", "actions:read", (call) => {
    const [branch, event, status] = [
      query(call, "branch"),
      query(call, "event"),
      query(call, "status"),
    ];
    const headSha = query(call, "head_sha");
    const found = call.repository.runs
      .filter((run) => branch === undefined || run.branch === branch)
      .filter((run) => event === undefined || run.event === event)
      .filter((run) => headSha === undefined || run.headSha === headSha)
      .filter((run) => status === undefined || [run.status, run.conclusion].includes(status));
    return countedAnswer(call, "workflow_runs", found.toReversed(), (run) => wireRun(call, run));
  }),
  repositoryRoute(`GET ${RUN}`, "actions:read", (call) => {
    return { status: 200, body: wireRun(call, getRun(call)) };
  }),
  repositoryRoute(`GET ${RUN}/jobs`, "actions:read", (call) => {
    const run = getRun(call);
    return countedAnswer(call, "jobs", run.jobs, (job) => wireJob(call, run, job));
  }),
  repositoryRoute(`POST ${RUN}/rerun`, "actions:write", (call) => rerun(call, false)),
  repositoryRoute(`POST ${RUN}/rerun-failed-jobs`, "actions:write", (call) => rerun(call, true)),
];

function getRun(call: RepositoryCall): WorkflowRun {
  const id = numberParameter(call, "run_id");
  const run = call.repository.runs.find((each) => each.id === id);
  if (!run) throw notFound();
  return run;
}

function rerun(call: RepositoryCall, onlyFailed: boolean): Answer {
  const run = getRun(call);
  if (run.status !== "completed") throw new Refusal(403, "This workflow is already running");
  if (onlyFailed && run.conclusion === "success") {
    throw new Refusal(403, "The workflow run has no failed jobs");
  }
  run.status = "queued";
  run.conclusion = null;
  run.attempt += 1;
  call.repository.reruns.push({ runId: run.id, onlyFailed });
  return { status: 201, body: {} };
}

function wireRun({ core, repository }: RepositoryCall, run: WorkflowRun): JsonObject {
  const { id, name, branch, event, headSha, status, conclusion, attempt, atMs } = run;
  const fullName = fullNameOf(repository);
  const url = `${core.apiUrl}/repos/${fullName}/actions/runs/${id}`;
  const commit = repository.commits.get(headSha);
  const actor = wireActor(core, commit?.author ?? "", core.world.findAccount(commit?.author ?? ""));
  return {
    id,
    node_id: nodeId("WFR", id),
    name,
    display_title: commit?.message.split("\n")[0] ?? name,
    head_branch: branch,
    head_sha: headSha,
    run_number: repository.runs.indexOf(run) + 1,
    run_attempt: attempt,
    event,
    status,
    conclusion,
    workflow_id: repository.id,
    path: ".github/workflows/main.yml",
    url,
    html_url: `${core.webUrl}/${fullName}/actions/runs/${id}`,
    jobs_url: `${url}/jobs`,
    logs_url: `${url}/logs`,
    rerun_url: `${url}/rerun`,
    created_at: timestamp(atMs),
    updated_at: timestamp(atMs),
    run_started_at: timestamp(atMs),
    actor,
    triggering_actor: actor,
    pull_requests: [],
    head_commit: commit ? { id: headSha, message: commit.message } : null,
    repository: wireRepository(core, repository),
  };
}

function wireJob({ core, repository }: RepositoryCall, run: WorkflowRun, job: Job): JsonObject {
  const { id, name, conclusion } = job;
  const fullName = fullNameOf(repository);
  const status = conclusion === null ? "in_progress" : "completed";
  const times = {
    started_at: timestamp(run.atMs),
    completed_at: conclusion === null ? null : timestamp(run.atMs),
  };
  return {
    id,
    node_id: nodeId("CR", id),
    run_id: run.id,
    run_url: `${core.apiUrl}/repos/${fullName}/actions/runs/${run.id}`,
    run_attempt: run.attempt,
    head_sha: run.headSha,
    head_branch: run.branch,
    workflow_name: run.name,
    url: `${core.apiUrl}/repos/${fullName}/actions/jobs/${id}`,
    html_url: `${core.webUrl}/${fullName}/actions/runs/${run.id}/job/${id}`,
    name,
    status,
    conclusion,
    created_at: timestamp(run.atMs),
    ...times,
    steps: job.steps.map((step, index) => ({
      name: step.name,
      number: index + 1,
      status: step.conclusion === null ? "in_progress" : "completed",
      conclusion: step.conclusion,
      ...times,
    })),
    labels: ["ubuntu-latest"],
    runner_name: "GitHub Actions 1",
  };
}
