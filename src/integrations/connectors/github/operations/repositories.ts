import { defineOperation, type Json, type Operation } from "@infragpt/connector-kit";
import { z } from "zod";
import { splitName, type GitHubCalls } from "../calls.ts";
import { PAGE_SIZE, Page, Ref, Repository, entry, pageOf } from "./fields.ts";

export function repositoryOperations(calls: GitHubCalls): readonly Operation[] {
  return [
    defineOperation({
      name: "list_repositories",
      description:
        "Lists the repositories that the installation shares, with their default branch.",
      input: z.strictObject({ page: Page }),
      risk: "read",
      needs: ["metadata:read"],
      run: (connection, { page }, options) =>
        calls.run(connection, { needs: ["metadata:read"] }, options, async (request) => {
          const { data, headers } = await request("GET /installation/repositories", {
            per_page: PAGE_SIZE,
            page,
          });
          const repositories = data.repositories.map((repository) =>
            entry({
              name: repository.full_name,
              description: repository.description ?? undefined,
              default_branch: repository.default_branch,
              is_private: repository.private,
              is_archived: repository.archived,
              language: repository.language ?? undefined,
              pushed_at: repository.pushed_at ?? undefined,
              url: repository.html_url,
            }),
          );
          return pageOf("repositories", repositories, headers);
        }),
    }),
    defineOperation({
      name: "list_commits",
      description:
        "Lists commits of a branch, newest first: who changed what and when. Narrow it by path, author or time to find what changed before an incident.",
      input: z.strictObject({
        repository: Repository,
        branch: Ref.optional().describe(
          "a branch, a tag or a commit; the default branch otherwise",
        ),
        path: z.string().min(1).max(500).optional().describe("only commits that touch this path"),
        author: z.string().min(1).max(100).optional().describe("login or e-mail"),
        since: z.iso.datetime({ offset: true }).optional(),
        until: z.iso.datetime({ offset: true }).optional(),
        page: Page,
      }),
      risk: "read",
      needs: ["contents:read"],
      target: ({ repository }) => repository,
      run(connection, { repository, branch, path, author, since, until, page }, options) {
        const at = splitName(repository);
        const narrowing = { needs: ["contents:read"], repository: at.repo };
        return calls.run(connection, narrowing, options, async (request) => {
          const { data, headers } = await request("GET /repos/{owner}/{repo}/commits", {
            ...at,
            per_page: PAGE_SIZE,
            page,
            ...(branch !== undefined && { sha: branch }),
            ...(path !== undefined && { path }),
            ...(author !== undefined && { author }),
            ...(since !== undefined && { since }),
            ...(until !== undefined && { until }),
          });
          return pageOf("commits", data.map(toCommit), headers);
        });
      },
    }),
  ];
}

interface Commit {
  readonly sha: string;
  readonly html_url: string;
  readonly author: { readonly login?: string } | null;
  readonly commit: {
    readonly message: string;
    readonly author: { readonly name?: string; readonly date?: string } | null;
  };
}

export function toCommit({ sha, html_url: url, author, commit }: Commit): Json {
  return entry(
    {
      sha,
      message: commit.message,
      author: author?.login ?? commit.author?.name,
      committed_at: commit.author?.date,
      url,
    },
    500,
  );
}
