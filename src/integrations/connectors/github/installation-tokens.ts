import { ConnectorError, Secret } from "@infragpt/connector-kit";
import type { GitHubClient } from "./client.ts";
import type { Abortable } from "./config.ts";
import { splitName } from "./repository-name.ts";

/** What a token may do, and where. */
export interface Narrowing {
  /** "contents:read", "issues:write". */
  readonly needs: readonly string[];
  /** "acme/payments", of the installation; absent: all that it shares. */
  readonly repository?: string;
}

interface IssuedToken {
  readonly token: Secret;
  readonly expiresAtMs: number;
}

export interface InstallationTokens {
  /**
   * A token that may do no more than is needed, from memory where one is good for ten more minutes.
   * `repositoryId` stands for a repository that GitHub no longer knows by that name.
   */
  issue(
    installationId: string,
    narrowing: Narrowing & { readonly repositoryId?: number },
    options: Abortable,
  ): Promise<{ readonly token: Secret; readonly isFromMemory: boolean }>;
  /** Drops what GitHub no longer takes. */
  forget(installationId: string, narrowing: Narrowing, token: Secret): void;
}

/** Tokens hold for an hour. */
const SPARE_MS = 600_000;
const KEPT_MAX = 2_000;

/** Tokens live in this process's memory alone: https://docs.github.com/rest/apps/apps#create-an-installation-access-token-for-an-app (2026-11). */
export function createInstallationTokens(
  client: Pick<GitHubClient, "asApp">,
  clock: { now(): Date },
): InstallationTokens {
  const kept = new Map<string, IssuedToken>();
  return {
    async issue(installationId, narrowing, options) {
      const key = keyOf(installationId, narrowing);
      const known = kept.get(key);
      if (known && known.expiresAtMs - clock.now().getTime() > SPARE_MS) {
        return { token: known.token, isFromMemory: true };
      }
      const issued = await askForToken(client, installationId, narrowing, options);
      if (kept.size >= KEPT_MAX) kept.clear();
      kept.set(key, issued);
      return { token: issued.token, isFromMemory: false };
    },
    forget(installationId, narrowing, token) {
      const key = keyOf(installationId, narrowing);
      // Another call may have put a new one there.
      if (kept.get(key)?.token === token) kept.delete(key);
    },
  };
}

function keyOf(installationId: string, { needs, repository = "" }: Narrowing): string {
  return [installationId, repository.toLowerCase(), ...needs.toSorted()].join("|");
}

async function askForToken(
  client: Pick<GitHubClient, "asApp">,
  installationId: string,
  narrowing: Narrowing & { readonly repositoryId?: number },
  options: Abortable,
): Promise<IssuedToken> {
  const request = await client.asApp(options);
  try {
    const { data } = await request("POST /app/installations/{installation_id}/access_tokens", {
      installation_id: Number(installationId),
      permissions: Object.fromEntries(narrowing.needs.map((need) => need.split(":", 2))),
      ...placeOf(narrowing),
    });
    return { token: new Secret(data.token), expiresAtMs: Date.parse(data.expires_at) };
  } catch (error) {
    throw explain(error, narrowing);
  }
}

function placeOf({ repository, repositoryId }: Parameters<InstallationTokens["issue"]>[1]) {
  if (repositoryId !== undefined) return { repository_ids: [repositoryId] };
  return repository === undefined ? {} : { repositories: [splitName(repository).repo] };
}

/** GitHub refuses both a permission that was not granted and a repository that is not shared with 422. */
function explain(error: unknown, { needs, repository }: Narrowing): unknown {
  if (!(error instanceof ConnectorError)) return error;
  const { vendorCode } = error;
  if (vendorCode === "http_404") {
    return new ConnectorError("unauthorized", "the GitHub App is no longer installed there", {
      vendorCode,
    });
  }
  // What the token was wanted for was not performed, whatever became of the token.
  if (vendorCode?.startsWith("http_5")) {
    return new ConnectorError("unavailable", error.message, { vendorCode });
  }
  if (vendorCode !== "http_422") return error;
  const where = repository === undefined ? "" : `, or ${repository} is not shared with it`;
  const message = `the GitHub App was not granted ${needs.join(", ")}${where}: change its installation at GitHub`;
  return new ConnectorError("missing_permission", message, { vendorCode });
}
