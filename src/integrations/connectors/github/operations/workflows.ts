import { cutText, defineOperation, type Operation } from "@infragpt/connector-kit";
import { z } from "zod";
import type { GitHubCalls } from "../calls.ts";
import { splitName } from "../repository-name.ts";
import { PAGE_SIZE, entry, pageOf } from "./answers.ts";
import { Id, Page, Ref, Repository } from "./fields.ts";

const reading = ["actions:read"] as const;
const writing = ["actions:write"] as const;

export function workflowOperations(calls: GitHubCalls): readonly Operation[] {
  return [listWorkflowRuns(calls), getWorkflowRun(calls), rerunWorkflow(calls)];
}

function listWorkflowRuns(calls: GitHubCalls): Operation {
  return defineOperation({
    name: "list_workflow_runs",
    description: "Lists runs of GitHub Actions, newest first, with how they ended.",
    input: z.strictObject({
      repository: Repository,
      branch: Ref.optional(),
      event: z
        .string()
        .regex(/^[a-z_]{1,50}$/)
        .optional()
        .describe("such as push or schedule"),
      status: z
        .enum([
          "completed",
          "failure",
          "success",
          "cancelled",
          "timed_out",
          "in_progress",
          "queued",
          "waiting",
        ])
        .optional(),
      page: Page,
    }),
    risk: "read",
    needs: reading,
    target: ({ repository }) => repository,
    run(connection, { repository, branch, event, status, page }, options) {
      const at = splitName(repository);
      const narrowing = { needs: reading, repository };
      return calls.run(connection, narrowing, options, async (request) => {
        const { data, headers } = await request("GET /repos/{owner}/{repo}/actions/runs", {
          ...at,
          per_page: PAGE_SIZE,
          page,
          ...(branch !== undefined && { branch }),
          ...(event !== undefined && { event }),
          ...(status !== undefined && { status }),
        });
        return pageOf("runs", data.workflow_runs.map(toRun), headers);
      });
    },
  });
}

interface WorkflowRun {
  readonly id: number | bigint;
  readonly name?: string | null;
  readonly run_number: number;
  readonly run_attempt?: number | undefined;
  readonly event: string;
  readonly status: string | null;
  readonly conclusion: string | null;
  readonly head_branch: string | null;
  readonly head_sha: string;
  readonly display_title: string;
  readonly actor?: { readonly login: string } | undefined;
  readonly created_at: string;
  readonly updated_at: string;
  readonly html_url: string;
}

function toRun(run: WorkflowRun) {
  return entry({
    id: Number(run.id),
    workflow: run.name ?? undefined,
    title: run.display_title,
    number: run.run_number,
    attempt: run.run_attempt,
    event: run.event,
    status: run.status ?? undefined,
    conclusion: run.conclusion ?? undefined,
    branch: run.head_branch ?? undefined,
    sha: run.head_sha,
    actor: run.actor?.login,
    created_at: run.created_at,
    updated_at: run.updated_at,
    url: run.html_url,
  });
}

const JOBS_PAGE_SIZE = 50;
const JOB_BYTES_MAX = 1_100;

function getWorkflowRun(calls: GitHubCalls): Operation {
  return defineOperation({
    name: "get_workflow_run",
    description:
      "Reads one run of GitHub Actions with its jobs, and of each job the steps that did not succeed. The log of a job is read by get_workflow_job_log.",
    input: z.strictObject({ repository: Repository, run_id: Id, page: Page }),
    risk: "read",
    needs: reading,
    target: ({ repository, run_id: id }) => `${repository} run ${id}`,
    run(connection, { repository, run_id, page }, options) {
      const at = splitName(repository);
      const narrowing = { needs: reading, repository };
      return calls.run(connection, narrowing, options, async (request) => {
        const [run, jobs] = await Promise.all([
          request("GET /repos/{owner}/{repo}/actions/runs/{run_id}", { ...at, run_id }),
          request("GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs", {
            ...at,
            run_id,
            per_page: JOBS_PAGE_SIZE,
            page,
          }),
        ]);
        return {
          run: toRun(run.data),
          jobs_total: jobs.data.total_count,
          ...pageOf("jobs", jobs.data.jobs.map(toJob), jobs.headers),
        };
      });
    },
  });
}

interface WorkflowJob {
  readonly id: number | bigint;
  readonly name: string;
  readonly status: string;
  readonly conclusion: string | null;
  readonly started_at: string;
  readonly completed_at: string | null;
  readonly html_url: string | null;
  readonly steps?: readonly { readonly name: string; readonly conclusion: string | null }[];
}

const FINE = new Set([null, "neutral", "skipped", "success"]);
const STEPS_MAX = 10;

function toJob(job: WorkflowJob) {
  const troubled = (job.steps ?? []).filter(({ conclusion }) => !FINE.has(conclusion));
  const fields = {
    id: Number(job.id),
    name: job.name,
    status: job.status,
    conclusion: job.conclusion ?? undefined,
    started_at: job.started_at,
    completed_at: job.completed_at ?? undefined,
    url: job.html_url ?? undefined,
    failed_steps: troubled.slice(0, STEPS_MAX).map(({ name }) => cutText(name, 100)),
  };
  return entry(fields, { bytesMax: JOB_BYTES_MAX });
}

function rerunWorkflow(calls: GitHubCalls): Operation {
  return defineOperation({
    name: "rerun_workflow",
    description: "Runs a finished run of GitHub Actions again, whole or its failed jobs only.",
    input: z.strictObject({
      repository: Repository,
      run_id: Id,
      only_failed_jobs: z.boolean().default(false),
    }),
    risk: "write",
    needs: writing,
    target: ({ repository, run_id: id }) => `${repository} run ${id}`,
    run(connection, { repository, run_id, only_failed_jobs: isPart }, options) {
      const at = splitName(repository);
      const narrowing = { needs: writing, repository };
      return calls.run(connection, narrowing, options, async (request) => {
        if (isPart) {
          await request("POST /repos/{owner}/{repo}/actions/runs/{run_id}/rerun-failed-jobs", {
            ...at,
            run_id,
          });
        } else {
          await request("POST /repos/{owner}/{repo}/actions/runs/{run_id}/rerun", {
            ...at,
            run_id,
          });
        }
        return { run_id, is_started: true };
      });
    },
  });
}
