import { ConnectorError, type Connection } from "@infragpt/connector-kit";
import type { GitHubClient, GitHubRequest } from "./client.ts";
import type { Abortable } from "./config.ts";
import type { InstallationTokens, Narrowing } from "./installation-tokens.ts";

/** Calls with an installation's account, with a token that may do no more than the call needs. */
export interface GitHubCalls {
  run<Answer>(
    connection: Pick<Connection, "accountId">,
    narrowing: Narrowing,
    options: Abortable,
    call: (request: GitHubRequest) => Promise<Answer>,
  ): Promise<Answer>;
}

export function createCalls(client: GitHubClient, tokens: InstallationTokens): GitHubCalls {
  return {
    async run({ accountId }, narrowing, options, call) {
      const { token, isFromMemory } = await tokens.issue(accountId, narrowing, options);
      try {
        return await call(await client.withToken(token, options));
      } catch (error) {
        const isRefused = error instanceof ConnectorError && error.kind === "unauthorized";
        if (!isRefused) throw error;
        tokens.forget(accountId, narrowing);
        // GitHub may end a token early; a call that it refused to identify was not performed.
        if (!isFromMemory) throw error;
      }
      const fresh = await tokens.issue(accountId, narrowing, options);
      return call(await client.withToken(fresh.token, options));
    },
  };
}

/** "acme/payments" as GitHub's addresses have it. */
export function splitName(fullName: string): { readonly owner: string; readonly repo: string } {
  const [owner = "", repo = ""] = fullName.split("/", 2);
  return { owner, repo };
}

/** The number of the next page, from a `link` header (RFC 8288); undefined on the last one. */
export function nextPageIn({ link }: { readonly link?: string | undefined }): number | undefined {
  const next = /<([^<>]+)>;\s*rel="next"/.exec(link ?? "")?.[1];
  const page = Number(URL.parse(next ?? "")?.searchParams.get("page") ?? Number.NaN);
  return Number.isInteger(page) ? page : undefined;
}
