import {
  ConnectorError,
  defineOperation,
  type Connection,
  type Operation,
} from "@infragpt/connector-kit";
import { z } from "zod";
import { splitName, type GitHubCalls } from "../calls.ts";
import { PAGE_SIZE, Page, Ref, Repository, entry, pageOf } from "./fields.ts";
import { toCommit } from "./repositories.ts";
import { Offset, windowOf } from "./text-window.ts";

const needs = ["contents:read"] as const;

export function codeOperations(calls: GitHubCalls): readonly Operation[] {
  return [searchCode(calls), getFile(calls), getCommitDiff(calls), compareCommits(calls)];
}

function searchCode(calls: GitHubCalls): Operation {
  return defineOperation({
    name: "search_code",
    description:
      "Searches the default branches of the installation's repositories for code, such as an error message, and answers files with matching lines.",
    input: z.strictObject({
      query: z
        .string()
        .trim()
        .min(1)
        .max(200)
        .describe("words; qualifiers such as path: or language: work"),
      repository: Repository.optional(),
      page: Page,
    }),
    risk: "read",
    needs,
    target: ({ repository }) => repository ?? "every repository",
    run(connection, { query, repository, page }, options) {
      const narrowing = {
        needs,
        ...(repository !== undefined && { repository: splitName(repository).repo }),
      };
      return calls.run(connection, narrowing, options, async (request) => {
        const { data, headers } = await request("GET /search/code", {
          q: `${query} ${scopeOf(connection, repository)}`,
          per_page: PAGE_SIZE,
          page,
          mediaType: { format: "text-match" },
        });
        const matches = data.items.map((item) =>
          entry({
            repository: item.repository.full_name,
            path: item.path,
            lines: (item.text_matches ?? [])
              .slice(0, 3)
              .map(({ fragment = "" }) => fragment.slice(0, 400)),
            url: item.html_url,
          }),
        );
        return pageOf("matches", matches, headers);
      });
    },
  });
}

/** Without it the search would go through everything public. */
function scopeOf({ profile }: Connection, repository: string | undefined): string {
  if (repository !== undefined) return `repo:${repository}`;
  const { account_login: login = "", account_type: type } = profile.metadata ?? {};
  return `${type === "User" ? "user" : "org"}:${login}`;
}

function getFile(calls: GitHubCalls): Operation {
  return defineOperation({
    name: "get_file",
    description: "Reads a text file of a repository, a part at a time.",
    input: z.strictObject({
      repository: Repository,
      path: z.string().min(1).max(500),
      ref: Ref.optional().describe("a branch, a tag or a commit; the default branch otherwise"),
      offset: Offset,
    }),
    risk: "read",
    needs,
    target: ({ repository, path }) => `${repository}: ${path}`,
    run(connection, { repository, path, ref, offset }, options) {
      const at = splitName(repository);
      return calls.run(connection, { needs, repository: at.repo }, options, async (request) => {
        const { data } = await request("GET /repos/{owner}/{repo}/contents/{path}", {
          ...at,
          path,
          ...(ref !== undefined && { ref }),
          mediaType: { format: "raw" },
        });
        return windowOf(textIn(data, "a text file"), { offset });
      });
    },
  });
}

function getCommitDiff(calls: GitHubCalls): Operation {
  return defineOperation({
    name: "get_commit_diff",
    description: "Shows what one commit changed, as a diff, a part at a time.",
    input: z.strictObject({ repository: Repository, commit: Ref, offset: Offset }),
    risk: "read",
    needs,
    target: ({ repository, commit }) => `${repository}@${commit}`,
    run(connection, { repository, commit, offset }, options) {
      const at = splitName(repository);
      return calls.run(connection, { needs, repository: at.repo }, options, async (request) => {
        const { data } = await request("GET /repos/{owner}/{repo}/commits/{ref}", {
          ...at,
          ref: commit,
          mediaType: { format: "diff" },
        });
        return windowOf(textIn(data, "a diff"), { offset });
      });
    },
  });
}

const FILES_MAX = 100;

function compareCommits(calls: GitHubCalls): Operation {
  return defineOperation({
    name: "compare_commits",
    description:
      "Compares two branches, tags or commits: the commits that the second has and the first has not, and the files that differ. Use it for what is in a deployment and was not in the one before.",
    input: z.strictObject({ repository: Repository, base: Ref, head: Ref, page: Page }),
    risk: "read",
    needs,
    target: ({ repository, base, head }) => `${repository}: ${base}...${head}`,
    run(connection, { repository, base, head, page }, options) {
      const at = splitName(repository);
      return calls.run(connection, { needs, repository: at.repo }, options, async (request) => {
        const { data, headers } = await request("GET /repos/{owner}/{repo}/compare/{basehead}", {
          ...at,
          basehead: `${base}...${head}`,
          per_page: PAGE_SIZE,
          page,
        });
        const files = (data.files ?? []).slice(0, FILES_MAX).map((file) =>
          entry({
            path: file.filename,
            status: file.status,
            additions: file.additions,
            deletions: file.deletions,
          }),
        );
        return {
          status: data.status,
          ahead_by: data.ahead_by,
          behind_by: data.behind_by,
          url: data.html_url,
          files,
          ...pageOf("commits", data.commits.map(toCommit), headers),
        };
      });
    },
  });
}

/** Octokit's types say JSON for media types that are text. */
export function textIn(data: unknown, what: string): string {
  if (typeof data === "string") return data;
  throw new ConnectorError("rejected", `GitHub's answer is not ${what}`);
}
