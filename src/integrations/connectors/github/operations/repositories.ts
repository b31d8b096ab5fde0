import { defineOperation, type Json, type Operation } from "@infragpt/connector-kit";
import { z } from "zod";
import type { GitHubCalls } from "../calls.ts";
import { splitName } from "../repository-name.ts";
import { PAGE_SIZE, entry, pageOf } from "./answers.ts";
import { Page, Path, Ref, Repository, aLine } from "./fields.ts";

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
        path: Path.optional().describe("only commits that touch this path"),
        author: aLine(100).optional().describe("login or e-mail"),
        since: z.iso.datetime({ offset: true }).optional(),
        until: z.iso.datetime({ offset: true }).optional(),
        page: Page,
      }),
      risk: "read",
      needs: ["contents:read"],
      target: ({ repository }) => repository,
      run(connection, { repository, branch, path, author, since, until, page }, options) {
        const at = splitName(repository);
        const narrowing = { needs: ["contents:read"], repository };
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
          return pageOf(
            "commits",
            data.map((commit) => toCommit(commit)),
            headers,
          );
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
    readonly author: Signature | null;
    readonly committer: Signature | null;
  };
}

interface Signature {
  readonly name?: string;
  readonly date?: string;
}

export function toCommit(
  { sha, html_url: url, author, commit }: Commit,
  limits: Parameters<typeof entry>[1] = { charactersMax: 500 },
): Json {
  return entry(
    {
      sha,
      message: commit.message,
      author: author?.login ?? commit.author?.name,
      // A change that was rebased or squashed was written long before it came here.
      committed_at: commit.committer?.date ?? commit.author?.date,
      url,
    },
    limits,
  );
}
