import { defineOperation, type Operation } from "@infragpt/connector-kit";
import { z } from "zod";
import type { GitHubCalls } from "../calls.ts";
import { splitName } from "../repository-name.ts";
import { PAGE_SIZE, entry, firstOf, pageOf } from "./answers.ts";
import { Page, Path, Ref, Repository } from "./fields.ts";
import { toCommit } from "./repositories.ts";
import { Offset, textOf, windowOf } from "./text-window.ts";

const needs = ["contents:read"] as const;

export function codeOperations(calls: GitHubCalls): readonly Operation[] {
  return [getFile(calls), getCommitDiff(calls), compareCommits(calls)];
}

function getFile(calls: GitHubCalls): Operation {
  return defineOperation({
    name: "get_file",
    description: "Reads a text file of a repository, a part at a time.",
    input: z.strictObject({
      repository: Repository,
      path: Path,
      ref: Ref.optional().describe("a branch, a tag or a commit; the default branch otherwise"),
      offset: Offset,
    }),
    risk: "read",
    needs,
    target: ({ repository, path }) => `${repository}: ${path}`,
    run(connection, { repository, path, ref, offset }, options) {
      return calls.run(connection, { needs, repository }, options, async (request) => {
        const { data } = await request("GET /repos/{owner}/{repo}/contents/{path}", {
          ...splitName(repository),
          path: path.replace(/^\/+/, ""),
          ...(ref !== undefined && { ref }),
          mediaType: { format: "raw" },
        });
        return windowOf(textOf(data, "a text file"), { offset });
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
      return calls.run(connection, { needs, repository }, options, async (request) => {
        const { data } = await request("GET /repos/{owner}/{repo}/commits/{ref}", {
          ...splitName(repository),
          ref: commit,
          mediaType: { format: "diff" },
        });
        return windowOf(textOf(data, "a diff"), { offset });
      });
    },
  });
}

const COMMIT_LIMITS = { charactersMax: 300, bytesMax: 1_000 };
const FILES_BYTES_MAX = 25_000;

function compareCommits(calls: GitHubCalls): Operation {
  return defineOperation({
    name: "compare_commits",
    description:
      "Compares two branches, tags or commits: the commits that the second has and the first has not, oldest first, and with the first page the files that differ. Use it for what is in a deployment and was not in the one before.",
    input: z.strictObject({ repository: Repository, base: Ref, head: Ref, page: Page }),
    risk: "read",
    needs,
    target: ({ repository, base, head }) => `${repository}: ${base}...${head}`,
    run(connection, { repository, base, head, page }, options) {
      return calls.run(connection, { needs, repository }, options, async (request) => {
        const { data, headers } = await request("GET /repos/{owner}/{repo}/compare/{basehead}", {
          ...splitName(repository),
          basehead: `${base}...${head}`,
          per_page: PAGE_SIZE,
          page,
        });
        const all = (data.files ?? []).map(toFile);
        const files = firstOf(all, FILES_BYTES_MAX);
        return {
          status: data.status,
          ahead_by: data.ahead_by,
          behind_by: data.behind_by,
          url: data.html_url,
          files,
          ...(files.length < all.length && { more_files: all.length - files.length }),
          ...pageOf(
            "commits",
            data.commits.map((commit) => toCommit(commit, COMMIT_LIMITS)),
            headers,
          ),
        };
      });
    },
  });
}

interface ChangedFile {
  readonly filename: string;
  readonly status: string;
  readonly additions: number;
  readonly deletions: number;
}

function toFile({ filename, status, additions, deletions }: ChangedFile) {
  return entry({ path: filename, status, additions, deletions }, { charactersMax: 1_000 });
}
