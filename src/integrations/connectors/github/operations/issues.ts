import { defineOperation, type Operation } from "@infragpt/connector-kit";
import { z } from "zod";
import type { GitHubCalls } from "../calls.ts";
import { splitName } from "../repository-name.ts";
import { Body, IssueNumber, Repository, Title } from "./fields.ts";

const needs = ["issues:write"] as const;

export function issueOperations(calls: GitHubCalls): readonly Operation[] {
  return [
    defineOperation({
      name: "create_issue",
      description: "Creates an issue in a repository.",
      input: z.strictObject({
        repository: Repository,
        title: Title,
        body: Body.default(""),
        labels: z.array(z.string().min(1).max(50)).max(20).default([]),
      }),
      risk: "write",
      needs,
      target: ({ repository }) => repository,
      run(connection, { repository, title, body, labels }, options) {
        const at = splitName(repository);
        return calls.run(connection, { needs, repository }, options, async (request) => {
          const { data } = await request("POST /repos/{owner}/{repo}/issues", {
            ...at,
            title,
            body,
            labels,
          });
          return { number: data.number, url: data.html_url };
        });
      },
    }),
    defineOperation({
      name: "create_comment",
      description: "Comments on an issue or a pull request.",
      input: z.strictObject({ repository: Repository, number: IssueNumber, body: Body.min(1) }),
      risk: "write",
      needs,
      target: ({ repository, number }) => `${repository}#${number}`,
      run(connection, { repository, number, body }, options) {
        const at = splitName(repository);
        return calls.run(connection, { needs, repository }, options, async (request) => {
          const { data } = await request(
            "POST /repos/{owner}/{repo}/issues/{issue_number}/comments",
            { ...at, issue_number: number, body },
          );
          return { id: Number(data.id), url: data.html_url };
        });
      },
    }),
  ];
}
