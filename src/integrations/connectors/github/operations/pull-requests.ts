import { defineOperation, type Operation } from "@infragpt/connector-kit";
import { z } from "zod";
import type { GitHubCalls } from "../calls.ts";
import { splitName } from "../repository-name.ts";
import { ENTRIES_BYTES_MAX, PAGE_SIZE, entry, pageOf } from "./answers.ts";
import { Body, IssueNumber, Page, Ref, Repository, Title, aLine } from "./fields.ts";
import { Offset, textOf, windowOf } from "./text-window.ts";

const reading = ["pull_requests:read"] as const;
const writing = ["pull_requests:write"] as const;

export function pullRequestOperations(calls: GitHubCalls): readonly Operation[] {
  return [
    listPullRequests(calls),
    getPullRequest(calls),
    getPullRequestDiff(calls),
    openPullRequest(calls),
  ];
}

function listPullRequests(calls: GitHubCalls): Operation {
  return defineOperation({
    name: "list_pull_requests",
    description: "Lists pull requests of a repository, the last changed first.",
    input: z.strictObject({
      repository: Repository,
      state: z.enum(["open", "closed", "all"]).default("open"),
      base: Ref.optional().describe("the branch they go into"),
      head: aLine(255).optional().describe("user:branch they come from"),
      page: Page,
    }),
    risk: "read",
    needs: reading,
    target: ({ repository }) => repository,
    run(connection, { repository, state, base, head, page }, options) {
      const at = splitName(repository);
      const narrowing = { needs: reading, repository };
      return calls.run(connection, narrowing, options, async (request) => {
        const { data, headers } = await request("GET /repos/{owner}/{repo}/pulls", {
          ...at,
          state,
          sort: "updated",
          direction: "desc",
          per_page: PAGE_SIZE,
          page,
          ...(base !== undefined && { base }),
          ...(head !== undefined && { head }),
        });
        return pageOf(
          "pull_requests",
          data.map((pull) => entry(fieldsOf(pull))),
          headers,
        );
      });
    },
  });
}

function getPullRequest(calls: GitHubCalls): Operation {
  return defineOperation({
    name: "get_pull_request",
    description:
      "Reads one pull request: its description, state, size, and whether it can be merged.",
    input: z.strictObject({ repository: Repository, number: IssueNumber }),
    risk: "read",
    needs: reading,
    target: ({ repository, number }) => `${repository}#${number}`,
    run(connection, { repository, number }, options) {
      const at = splitName(repository);
      const narrowing = { needs: reading, repository };
      return calls.run(connection, narrowing, options, async (request) => {
        const { data } = await request("GET /repos/{owner}/{repo}/pulls/{pull_number}", {
          ...at,
          pull_number: number,
        });
        const more = {
          body: data.body ?? undefined,
          merged_by: data.merged_by?.login,
          can_be_merged: data.mergeable ?? undefined,
          merge_state: data.mergeable_state,
          commits: data.commits,
          changed_files: data.changed_files,
          additions: data.additions,
          deletions: data.deletions,
        };
        const limits = { charactersMax: 10_000, bytesMax: ENTRIES_BYTES_MAX };
        return entry({ ...fieldsOf(data), ...more }, limits);
      });
    },
  });
}

interface PullRequest {
  readonly number: number;
  readonly title: string;
  readonly state: string;
  readonly draft?: boolean | undefined;
  readonly user: { readonly login: string } | null;
  readonly head: { readonly ref: string; readonly sha: string };
  readonly base: { readonly ref: string };
  readonly created_at: string;
  readonly updated_at: string;
  readonly merged_at?: string | null;
  readonly html_url: string;
}

function fieldsOf(pull: PullRequest) {
  return {
    number: pull.number,
    title: pull.title,
    state: pull.merged_at ? "merged" : pull.state,
    is_draft: pull.draft,
    author: pull.user?.login,
    head: pull.head.ref,
    head_sha: pull.head.sha,
    base: pull.base.ref,
    created_at: pull.created_at,
    updated_at: pull.updated_at,
    merged_at: pull.merged_at ?? undefined,
    url: pull.html_url,
  };
}

function getPullRequestDiff(calls: GitHubCalls): Operation {
  return defineOperation({
    name: "get_pull_request_diff",
    description: "Shows what a pull request changes, as a diff, a part at a time.",
    input: z.strictObject({ repository: Repository, number: IssueNumber, offset: Offset }),
    risk: "read",
    needs: reading,
    target: ({ repository, number }) => `${repository}#${number}`,
    run(connection, { repository, number, offset }, options) {
      const at = splitName(repository);
      const narrowing = { needs: reading, repository };
      return calls.run(connection, narrowing, options, async (request) => {
        const { data } = await request("GET /repos/{owner}/{repo}/pulls/{pull_number}", {
          ...at,
          pull_number: number,
          mediaType: { format: "diff" },
        });
        return windowOf(textOf(data, "a diff"), { offset });
      });
    },
  });
}

function openPullRequest(calls: GitHubCalls): Operation {
  return defineOperation({
    name: "open_pull_request",
    description: "Opens a pull request from a branch that exists. It merges nothing.",
    input: z.strictObject({
      repository: Repository,
      title: Title,
      head: Ref.describe("the branch with the changes"),
      base: Ref.describe("the branch that they go into"),
      body: Body.default(""),
      is_draft: z.boolean().default(false),
    }),
    risk: "write",
    needs: writing,
    target: ({ repository, head, base }) => `${repository}: ${head} into ${base}`,
    run(connection, { repository, title, head, base, body, is_draft: draft }, options) {
      const at = splitName(repository);
      const narrowing = { needs: writing, repository };
      return calls.run(connection, narrowing, options, async (request) => {
        const { data } = await request("POST /repos/{owner}/{repo}/pulls", {
          ...at,
          title,
          head,
          base,
          body,
          draft,
        });
        return { number: data.number, url: data.html_url };
      });
    },
  });
}
