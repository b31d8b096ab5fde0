import { ConnectorError, type Connection } from "@infragpt/connector-kit";
import type { GitHubClient, GitHubRequest } from "./client.ts";
import type { Abortable } from "./config.ts";
import type { InstallationTokens, Narrowing } from "./installation-tokens.ts";
import { splitName } from "./repository-name.ts";

type Account = Pick<Connection, "accountId">;

/** Calls with an installation's account, with a token that may do no more than the call needs. */
export interface GitHubCalls {
  run<Answer>(
    connection: Account,
    narrowing: Narrowing,
    options: Abortable,
    call: (request: GitHubRequest) => Promise<Answer>,
  ): Promise<Answer>;
}

export function createCalls(client: GitHubClient, tokens: InstallationTokens): GitHubCalls {
  const calls: GitHubCalls = {
    async run(account, narrowing, options, call) {
      const { token, isFromMemory } = await issue({ tokens, calls }, account, narrowing, options);
      try {
        return await call(await client.withToken(token, options));
      } catch (error) {
        const isRefused = error instanceof ConnectorError && error.kind === "unauthorized";
        if (!isRefused) throw error;
        tokens.forget(account.accountId, narrowing, token);
        // GitHub may end a token early; a call that it refused to identify was not performed.
        if (!isFromMemory) throw error;
      }
      const fresh = await issue({ tokens, calls }, account, narrowing, options);
      return call(await client.withToken(fresh.token, options));
    },
  };
  return calls;
}

interface IssueDeps {
  readonly tokens: InstallationTokens;
  readonly calls: GitHubCalls;
}

/**
 * Tokens are for repositories by their present names, while GitHub's addresses go on redirecting
 * former ones: what was renamed is named by its id.
 */
async function issue(
  { tokens, calls }: IssueDeps,
  account: Account,
  narrowing: Narrowing,
  options: Abortable,
): ReturnType<InstallationTokens["issue"]> {
  try {
    return await tokens.issue(account.accountId, narrowing, options);
  } catch (error) {
    const isRefused = error instanceof ConnectorError && error.vendorCode === "http_422";
    if (!isRefused || narrowing.repository === undefined) throw error;
    const repositoryId = await findRenamed(calls, account, narrowing.repository, options);
    if (repositoryId === undefined) throw error;
    return tokens.issue(account.accountId, { ...narrowing, repositoryId }, options);
  }
}

/** The id of a repository that now has another name. */
async function findRenamed(
  calls: GitHubCalls,
  account: Account,
  repository: string,
  options: Abortable,
): Promise<number | undefined> {
  try {
    return await calls.run(account, { needs: ["metadata:read"] }, options, async (request) => {
      const { data } = await request("GET /repos/{owner}/{repo}", splitName(repository));
      const isRenamed = data.full_name.toLowerCase() !== repository.toLowerCase();
      return isRenamed ? Number(data.id) : undefined;
    });
  } catch (error) {
    if (error instanceof ConnectorError && error.vendorCode === "http_404") return undefined;
    throw error;
  }
}

/** The number of the next page, from a `link` header (RFC 8288); undefined on the last one. */
export function nextPageIn({ link }: { readonly link?: string | undefined }): number | undefined {
  const next = /<([^<>]+)>;\s*rel="next"/.exec(link ?? "")?.[1];
  const page = Number(URL.parse(next ?? "")?.searchParams.get("page") ?? Number.NaN);
  return Number.isInteger(page) ? page : undefined;
}
