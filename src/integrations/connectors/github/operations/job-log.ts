import {
  ConnectorError,
  defineOperation,
  fetchWhole,
  type Operation,
} from "@infragpt/connector-kit";
import { z } from "zod";
import type { GitHubCalls } from "../calls.ts";
import type { Abortable } from "../config.ts";
import { splitName } from "../repository-name.ts";
import { Id, Repository } from "./fields.ts";
import type { OperationConfig } from "./index.ts";
import { Offset, windowOf } from "./text-window.ts";

const needs = ["actions:read"] as const;
const LOG_BYTES_MAX = 20 * 1024 * 1024;

export function getWorkflowJobLog(calls: GitHubCalls, config: OperationConfig): Operation {
  return defineOperation({
    name: "get_workflow_job_log",
    description:
      "Reads the log of one job of a run. Without an offset it shows the end, where failures are told.",
    input: z.strictObject({ repository: Repository, job_id: Id, offset: Offset }),
    risk: "read",
    needs,
    target: ({ repository, job_id: id }) => `${repository} job ${id}`,
    run(connection, { repository, job_id, offset }, options) {
      return calls.run(connection, { needs, repository }, options, async (request) => {
        const { headers } = await request("GET /repos/{owner}/{repo}/actions/jobs/{job_id}/logs", {
          ...splitName(repository),
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
  // Whatever it is, it says nothing about our token, and the next attempt gets another address.
  const { status } = response;
  const message = `GitHub's storage answered ${status} to read a log`;
  throw new ConnectorError("unavailable", message, { vendorCode: `http_${status}` });
}
