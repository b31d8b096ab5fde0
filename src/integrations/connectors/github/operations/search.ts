import { cutText, defineOperation, type Connection, type Operation } from "@infragpt/connector-kit";
import { z } from "zod";
import type { GitHubCalls } from "../calls.ts";
import { splitName } from "../repository-name.ts";
import { PAGE_SIZE, entry, pageOf } from "./answers.ts";
import { Page, Repository, aLine } from "./fields.ts";

const needs = ["contents:read"] as const;

/** GitHub adds scopes up: one in the query would widen the search instead of narrowing it. */
const Query = aLine(200)
  .refine(
    (query) =>
      !/(?:^|[^\w])(?:repo|org|user|enterprise|owner):/i.test(query.replaceAll(/"[^"]*"/g, "")),
    'must not hold repo:, org: or user:, name the repository instead; as words they stand in "quotes"',
  )
  .describe("words; qualifiers such as path: or language: work");

export function searchCode(calls: GitHubCalls): Operation {
  return defineOperation({
    name: "search_code",
    description:
      "Searches the default branches of the installation's repositories for code, such as an error message, and answers files with matching lines.",
    input: z.strictObject({ query: Query, repository: Repository.optional(), page: Page }),
    risk: "read",
    needs,
    target: ({ repository }) => repository ?? "every repository",
    run(connection, { query, repository, page }, options) {
      const narrowing = { needs, ...(repository !== undefined && { repository }) };
      const scope = scopeOf(connection, repository);
      return calls.run(connection, narrowing, options, async (request) => {
        const { data, headers } = await request("GET /search/code", {
          // In front, where a quote that the query leaves open cannot swallow it.
          q: `${scope.qualifier} ${query}`,
          per_page: PAGE_SIZE,
          page,
          mediaType: { format: "text-match" },
        });
        const matches = data.items
          .filter((item) => scope.holds(item.repository.full_name))
          .map(toMatch);
        return pageOf("matches", matches, headers);
      });
    },
  });
}

/** Without one the search goes through everything public; what comes back is looked at too. */
function scopeOf(
  { profile }: Connection,
  repository: string | undefined,
): { readonly qualifier: string; holds(fullName: string): boolean } {
  if (repository !== undefined) {
    return {
      qualifier: `repo:${repository}`,
      holds: (fullName) => fullName.toLowerCase() === repository.toLowerCase(),
    };
  }
  const { account_login: login = "", account_type: type } = profile.metadata ?? {};
  return {
    qualifier: `${type === "User" ? "user" : "org"}:${login}`,
    holds: (fullName) => splitName(fullName).owner.toLowerCase() === login.toLowerCase(),
  };
}

interface Match {
  readonly path: string;
  readonly html_url: string;
  readonly repository: { readonly full_name: string };
  readonly text_matches?: readonly { readonly fragment?: string }[];
}

function toMatch({ path, html_url: url, repository, text_matches: found = [] }: Match) {
  const lines = found.slice(0, 3).map(({ fragment = "" }) => cutText(fragment, 400));
  return entry({ repository: repository.full_name, path, lines, url }, { charactersMax: 500 });
}
