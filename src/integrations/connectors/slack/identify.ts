import {
  ConnectorError,
  type AccountProfile,
  type Secret,
  cutText,
  idIn,
  textIn,
  type UntrustedRecord,
} from "@infragpt/connector-kit";
import type { SlackCaller } from "./web-client.ts";

/** What the bot needs for what it does; `connections:write` belongs to the app token. */
export const REQUIRED_BOT_SCOPES: readonly string[] = [
  "app_mentions:read",
  "channels:history",
  "chat:write",
  "commands",
  "groups:history",
  "im:history",
  "mpim:history",
];

/** Asks Slack whom the bot token speaks for. Throws ConnectorError. */
export async function identifyAccount(
  caller: SlackCaller,
  token: Secret,
  options: { readonly signal: AbortSignal },
): Promise<AccountProfile> {
  const { body, scopes } = await caller.call(token, "auth.test", {}, options);
  const teamId = idIn(body, "team_id");
  const enterpriseId = idIn(body, "enterprise_id");
  const accountId = body["is_enterprise_install"] === true ? enterpriseId : teamId;
  const userId = idIn(body, "user_id");
  const botId = idIn(body, "bot_id");
  if (accountId === undefined || userId === undefined) {
    throw new ConnectorError("uncertain", "Slack did not say whom the token speaks for");
  }
  if (botId === undefined) {
    throw new ConnectorError("rejected", "the Slack token is a person's: a bot token starts xoxb-");
  }
  return {
    accountId,
    accountName: readName(body, accountId),
    botId: userId,
    metadata: {
      bot_id: botId,
      ...(teamId && { team_id: teamId }),
      ...(enterpriseId && { enterprise_id: enterpriseId }),
      ...(textIn(body, "url") && { url: cutText(textIn(body, "url") ?? "", 500) }),
      ...(scopes && { scopes: cutText(scopes.join(","), 4_000) }),
    },
  };
}

function readName(body: UntrustedRecord, accountId: string): string {
  const isEnterprise = body["is_enterprise_install"] === true;
  const name = isEnterprise ? textIn(body, "enterprise") : undefined;
  return cutText(name ?? textIn(body, "team") ?? accountId, 200);
}

/** Undefined scopes are unknown, not missing: only newer answers carry them. */
export function listMissingScopes(profile: AccountProfile): readonly string[] {
  const granted = profile.metadata?.["scopes"]?.split(",");
  if (granted === undefined) return [];
  return REQUIRED_BOT_SCOPES.filter((scope) => !granted.includes(scope));
}
