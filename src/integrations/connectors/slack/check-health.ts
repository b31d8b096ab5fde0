import { ConnectorError, type Connection, type ConnectionHealth } from "@infragpt/connector-kit";
import { getBotToken } from "./bot-token.ts";
import { identifyAccount, listMissingScopes } from "./identify.ts";
import type { SlackCaller } from "./web-client.ts";

/** Whether the stored token still works and may do what the bot needs. Throws ConnectorError when Slack cannot say. */
export async function checkSlackHealth(
  caller: SlackCaller,
  connection: Connection,
  options: { readonly signal: AbortSignal },
): Promise<ConnectionHealth> {
  try {
    const profile = await identifyAccount(caller, getBotToken(connection), options);
    if (profile.accountId !== connection.accountId) {
      const detail = `the token belongs to ${profile.accountId} instead: reconnect Slack`;
      return { status: "degraded", detail };
    }
    const missing = listMissingScopes(profile);
    if (missing.length === 0) return { status: "healthy" };
    const detail = `scopes are missing: ${missing.join(", ")}; reconnect Slack to add them`;
    return { status: "degraded", detail, missingPermissions: missing };
  } catch (error) {
    if (!(error instanceof ConnectorError)) throw error;
    if (error.vendorCode === "token_expired") {
      return { status: "expired", detail: "the bot token has expired: reconnect Slack" };
    }
    if (error.kind !== "unauthorized") throw error;
    return { status: "revoked", detail: `${error.message}: reconnect Slack` };
  }
}
