import {
  ConnectorError,
  defineOperation,
  fetchWhole,
  kindOfStatus,
  type Operation,
} from "@infragpt/connector-kit";
import { z } from "zod";
import { splitName, type GitHubCalls } from "../calls.ts";
import type { Abortable } from "../config.ts";
import { Id, PAGE_SIZE, Page, Ref, Repository, entry, pageOf } from "./fields.ts";
import type { OperationConfig } from "./index.ts";
import { Offset, windowOf } from "./text-window.ts";

const reading = ["actions:read"] as const;
const writing = ["actions:write"] as const;

export function workflowOperations(
  calls: GitHubCalls,
  config: OperationConfig,
): readonly Operation[] {
  return [
    listWorkflowRuns(calls),
    getWorkflowRun(calls),
    getWorkflowJobLog(calls, config),
    rerunWorkflow(calls),
  ];
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
      const narrowing = { needs: reading, repository: at.repo };
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

const JOBS_MAX = 50;

function getWorkflowRun(calls: GitHubCalls): Operation {
  return defineOperation({
    name: "get_workflow_run",
    description:
      "Reads one run of GitHub Actions with its jobs, and of each job the steps that did not succeed. Its log is read by get_workflow_job_log.",
    input: z.strictObject({ repository: Repository, run_id: Id }),
    risk: "read",
    needs: reading,
    target: ({ repository, run_id: id }) => `${repository} run ${id}`,
    run(connection, { repository, run_id }, options) {
      const at = splitName(repository);
      const narrowing = { needs: reading, repository: at.repo };
      return calls.run(connection, narrowing, options, async (request) => {
        const [run, jobs] = await Promise.all([
          request("GET /repos/{owner}/{repo}/actions/runs/{run_id}", { ...at, run_id }),
          request("GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs", {
            ...at,
            run_id,
            per_page: JOBS_MAX,
          }),
        ]);
        return { run: toRun(run.data), jobs: jobs.data.jobs.map(toJob) };
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
  return entry({
    id: Number(job.id),
    name: job.name,
    status: job.status,
    conclusion: job.conclusion ?? undefined,
    started_at: job.started_at,
    completed_at: job.completed_at ?? undefined,
    url: job.html_url ?? undefined,
    failed_steps: troubled.slice(0, STEPS_MAX).map(({ name }) => name.slice(0, 100)),
  });
}

const LOG_BYTES_MAX = 20 * 1024 * 1024;

function getWorkflowJobLog(calls: GitHubCalls, config: OperationConfig): Operation {
  return defineOperation({
    name: "get_workflow_job_log",
    description:
      "Reads the log of one job of a run. Without an offset it shows the end, where failures are told.",
    input: z.strictObject({ repository: Repository, job_id: Id, offset: Offset }),
    risk: "read",
    needs: reading,
    target: ({ repository, job_id: id }) => `${repository} job ${id}`,
    run(connection, { repository, job_id, offset }, options) {
      const at = splitName(repository);
      const narrowing = { needs: reading, repository: at.repo };
      return calls.run(connection, narrowing, options, async (request) => {
        const { headers } = await request("GET /repos/{owner}/{repo}/actions/jobs/{job_id}/logs", {
          ...at,
          job_id,
          request: { redirect: "manual", signal: options.signal },
        });
        const log = await fetchLog(config, headers.location, options);
        return windowOf(log, { offset, isEndFirst: true });
      });
    },
  });
}

/**
 * GitHub answers with an address of its storage that says by itself who may read. It goes there
 * without our token, and, unless it is on GitHub's own host, only where the public internet is.
 */
async function fetchLog(
  { apiUrl, webUrl, callTimeoutMs, guardedFetch }: OperationConfig,
  location: string | undefined,
  { signal }: Abortable,
): Promise<string> {
  const url = URL.parse(location ?? "");
  if (!url) throw new ConnectorError("uncertain", "GitHub did not say where the log is");
  const own = [apiUrl, webUrl].map((address) => new URL(address).origin);
  const response = await fetchWhole({
    vendor: "GitHub",
    action: "read a log",
    url,
    timeoutMs: callTimeoutMs,
    answerBytesMax: LOG_BYTES_MAX,
    signal,
    ...(!own.includes(url.origin) && { fetch: guardedFetch }),
  });
  if (response.ok) return response.text();
  const message = `GitHub's storage answered ${response.status} to read a log`;
  throw new ConnectorError(kindOfStatus(response.status, "GET"), message);
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
      const narrowing = { needs: writing, repository: at.repo };
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
