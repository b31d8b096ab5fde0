import {
  ConnectorError,
  cutText,
  type AccountProfile,
  type Connection,
  type ConnectionHealth,
} from "@infragpt/connector-kit";
import type { GitHubClient } from "./client.ts";
import type { Abortable } from "./config.ts";
import { listMissing } from "./permissions.ts";

/** What we read of an installation. */
export interface Installation {
  readonly id: number | bigint;
  readonly app_id: number | bigint;
  readonly app_slug: string;
  /** Of a person, an organization, or an enterprise, which has no login. */
  readonly account:
    | { readonly id: number | bigint; readonly login: string }
    | { readonly id: number | bigint; readonly slug: string }
    | null;
  readonly target_type: string;
  readonly repository_selection: string;
  readonly html_url: string;
  readonly permissions: object;
  readonly suspended_at: string | null;
  readonly suspended_by: { readonly login: string } | null;
}

/** An installation as the app itself sees it now. Throws ConnectorError. */
export async function getInstallation(
  client: Pick<GitHubClient, "asApp">,
  installationId: string,
  options: Abortable,
): Promise<Installation> {
  const request = await client.asApp(options);
  const { data } = await request("GET /app/installations/{installation_id}", {
    installation_id: Number(installationId),
  });
  return data;
}

/** Deliveries name the installation, so its id is the account's; a new installation is a new account. */
export function profileOf(installation: Installation): AccountProfile {
  const { id, account, app_slug: appSlug, html_url: url } = installation;
  const login = account === null ? "" : "login" in account ? account.login : account.slug;
  return {
    accountId: String(id),
    accountName: cutText(login, 100) || String(id),
    botId: `${appSlug}[bot]`,
    metadata: {
      account_id: String(account?.id ?? ""),
      account_login: login,
      account_type: installation.target_type,
      repository_selection: installation.repository_selection,
      url,
    },
  };
}

/** Asks GitHub with the app's own key, which works for suspended installations too. */
export async function checkHealth(
  client: Pick<GitHubClient, "asApp">,
  { accountId, profile }: Connection,
  options: Abortable,
): Promise<ConnectionHealth> {
  try {
    const installation = await getInstallation(client, accountId, options);
    const now = profileOf(installation);
    if (installation.suspended_at !== null) {
      const by = installation.suspended_by?.login ?? "somebody";
      const detail = `suspended at GitHub by ${by}: open it there again`;
      return { status: "suspended", detail, profile: now };
    }
    const missing = listMissing({ ...installation.permissions });
    if (missing.length === 0) return { status: "healthy", profile: now };
    const detail = `permissions are missing: ${missing.join(", ")}; accept them at GitHub`;
    return { status: "degraded", detail, missingPermissions: missing, profile: now };
  } catch (error) {
    if (!(error instanceof ConnectorError)) throw error;
    if (error.vendorCode === "http_404") {
      const detail = `the GitHub App was uninstalled from ${profile.accountName}: install it again`;
      return { status: "revoked", detail };
    }
    if (error.kind !== "unauthorized") throw error;
    return { status: "degraded", detail: error.message };
  }
}

/** Uninstalls the app; what is gone already is what we wanted. */
export async function uninstall(
  client: Pick<GitHubClient, "asApp">,
  { accountId }: Pick<Connection, "accountId">,
  options: Abortable,
): Promise<void> {
  const request = await client.asApp(options);
  try {
    await request("DELETE /app/installations/{installation_id}", {
      installation_id: Number(accountId),
    });
  } catch (error) {
    if (error instanceof ConnectorError && error.vendorCode === "http_404") return;
    throw error;
  }
}
