import { defineOperation, type Operation } from "@infragpt/connector-kit";
import { z } from "zod";
import type { GitHubCalls } from "../calls.ts";
import { splitName } from "../repository-name.ts";
import { entry, pageOf } from "./answers.ts";
import { Page, Ref, Repository, aLine } from "./fields.ts";

const needs = ["deployments:read"] as const;
/** Each costs a further call for its state. */
const DEPLOYMENTS_PAGE_SIZE = 10;

export function deploymentOperations(calls: GitHubCalls): readonly Operation[] {
  return [
    defineOperation({
      name: "list_deployments",
      description:
        "Lists deployments of a repository, newest first, each with its last state: what went where, when, and how it ended.",
      input: z.strictObject({
        repository: Repository,
        environment: aLine(255).optional(),
        ref: Ref.optional().describe("the branch or tag that was deployed"),
        page: Page,
      }),
      risk: "read",
      needs,
      target: ({ repository }) => repository,
      run(connection, { repository, environment, ref, page }, options) {
        const at = splitName(repository);
        return calls.run(connection, { needs, repository }, options, async (request) => {
          const { data, headers } = await request("GET /repos/{owner}/{repo}/deployments", {
            ...at,
            per_page: DEPLOYMENTS_PAGE_SIZE,
            page,
            ...(environment !== undefined && { environment }),
            ...(ref !== undefined && { ref }),
          });
          const deployments = await Promise.all(
            data.map(async (deployment) => {
              const { data: statuses } = await request(
                "GET /repos/{owner}/{repo}/deployments/{deployment_id}/statuses",
                { ...at, deployment_id: Number(deployment.id), per_page: 1 },
              );
              const [last] = statuses;
              return entry({
                id: Number(deployment.id),
                ref: deployment.ref,
                sha: deployment.sha,
                environment: deployment.environment,
                description: deployment.description ?? undefined,
                creator: deployment.creator?.login,
                created_at: deployment.created_at,
                state: last?.state ?? "pending",
                state_description: last?.description,
                state_at: last?.created_at,
                log_url: last?.log_url,
              });
            }),
          );
          return pageOf("deployments", deployments, headers);
        });
      },
    }),
  ];
}
