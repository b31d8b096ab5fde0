import type { Operation, VendorFetch } from "@infragpt/connector-kit";
import type { GitHubCalls } from "../calls.ts";
import type { GitHubConfig } from "../config.ts";
import { codeOperations } from "./code.ts";
import { deploymentOperations } from "./deployments.ts";
import { issueOperations } from "./issues.ts";
import { getWorkflowJobLog } from "./job-log.ts";
import { pullRequestOperations } from "./pull-requests.ts";
import { repositoryOperations } from "./repositories.ts";
import { searchCode } from "./search.ts";
import { workflowOperations } from "./workflows.ts";

export type OperationConfig = Pick<GitHubConfig, "apiUrl" | "webUrl" | "callTimeoutMs"> & {
  readonly guardedFetch: VendorFetch;
};

/** Everything that can be done with an installation. */
export function createOperations(
  calls: GitHubCalls,
  config: OperationConfig,
): readonly Operation[] {
  return [
    ...repositoryOperations(calls),
    searchCode(calls),
    ...codeOperations(calls),
    ...pullRequestOperations(calls),
    ...workflowOperations(calls),
    getWorkflowJobLog(calls, config),
    ...deploymentOperations(calls),
    ...issueOperations(calls),
  ];
}
