import {
  ConnectorError,
  type Connection,
  type Grant,
  type OAuth2Authorization,
  Secret,
  type Refresh,
  idIn,
  recordIn,
  textIn,
  type UntrustedRecord,
} from "@infragpt/connector-kit";
import type { SlackConfig } from "./config.ts";
import { identifyAccount } from "./identify.ts";
import { BOT_SCOPES } from "./scopes.ts";
import type { SlackCaller } from "./web-client.ts";

const AUTHORIZE_URL = "https://slack.com/oauth/v2/authorize";
/** Slack's own client refreshes two hours before the end of twelve. */
const BEFORE_EXPIRY_MS = 7_200_000;

export interface SlackClient {
  readonly clientId: string;
  readonly clientSecret: Secret;
  readonly clock: { now(): Date };
}

/** OAuth v2: a person of a workspace, or of a whole Enterprise Grid organization, installs the app. */
export function createAuthorization(
  caller: SlackCaller,
  client: SlackClient,
  { authorizeUrl = AUTHORIZE_URL }: Pick<SlackConfig, "authorizeUrl">,
): OAuth2Authorization {
  return {
    kind: "oauth2",
    credentialType: "oauth2",
    // Slack takes PKCE for public clients, which have no secret: https://docs.slack.dev/authentication/installing-with-oauth (2026-11).
    hasPkce: false,
    begin({ state, redirectUri }) {
      const url = new URL(authorizeUrl);
      url.searchParams.set("client_id", client.clientId);
      url.searchParams.set("scope", BOT_SCOPES.join(","));
      url.searchParams.set("redirect_uri", redirectUri);
      url.searchParams.set("state", state);
      return url.href;
    },
    async complete({ code, redirectUri }, options) {
      const input = { ...clientFields(client), code, redirect_uri: redirectUri };
      const { body } = await caller.call(undefined, "oauth.v2.access", input, options);
      const { credentials, expiresAt } = readTokens(body, client.clock.now());
      const profile = await identifyAccount(caller, credentials["bot_token"], options);
      const accountId = accountIn(body);
      if (accountId !== profile.accountId) {
        throw new ConnectorError("rejected", "Slack's token speaks for another workspace");
      }
      const appId = idIn(body, "app_id");
      const grantedBy = idIn(recordIn(body, "authed_user"), "id");
      return {
        credentials,
        profile: { ...profile, metadata: { ...profile.metadata, ...(appId && { app_id: appId }) } },
        ...(expiresAt && { expiresAt }),
        ...(grantedBy && { grantedBy }),
      };
    },
  };
}

/** Tokens of twelve hours, for apps that rotate them: https://docs.slack.dev/authentication/using-token-rotation (2026-11). */
export function createRefresh(caller: SlackCaller, client: SlackClient): Refresh {
  return {
    beforeExpiryMs: BEFORE_EXPIRY_MS,
    isSingleUse: true,
    async run({ credentials }, options) {
      const refreshToken = credentials["refresh_token"];
      if (refreshToken === undefined) {
        throw new ConnectorError("unauthorized", "the Slack connection has no refresh_token");
      }
      const input = {
        ...clientFields(client),
        grant_type: "refresh_token",
        refresh_token: refreshToken.reveal(),
      };
      const { body } = await caller.call(undefined, "oauth.v2.access", input, options);
      return readTokens(body, client.clock.now());
    },
  };
}

/** What says that there is nothing left to take back. */
const GONE: ReadonlySet<string | undefined> = new Set([
  "account_inactive",
  "app_not_installed",
  "invalid_auth",
  "not_authed",
  "team_not_found",
  "token_expired",
  "token_revoked",
]);

/** Uninstalls the app; without its secret, or where Slack refuses that, revokes the token, which leaves the app behind. */
export async function revokeGrant(
  caller: SlackCaller,
  client: SlackClient | undefined,
  { credentials }: Pick<Connection, "credentials">,
  options: { readonly signal: AbortSignal },
): Promise<void> {
  const token = credentials["bot_token"];
  if (token === undefined) return;
  if (client && (await isDone(() => uninstall(caller, client, token, options)))) return;
  await isDone(() => caller.call(token, "auth.revoke", {}, options), { isLast: true });
}

async function uninstall(
  caller: SlackCaller,
  client: SlackClient,
  token: Secret,
  options: { readonly signal: AbortSignal },
): Promise<unknown> {
  return caller.call(token, "apps.uninstall", clientFields(client), options);
}

/** False when Slack will not do it this way; throws what may be tried again. */
async function isDone(
  attempt: () => Promise<unknown>,
  { isLast = false }: { readonly isLast?: boolean } = {},
): Promise<boolean> {
  try {
    await attempt();
    return true;
  } catch (error) {
    if (!(error instanceof ConnectorError)) throw error;
    if (GONE.has(error.vendorCode)) return true;
    const isRefused = error.kind === "rejected" || error.kind === "missing_permission";
    if (isRefused && !isLast) return false;
    throw error;
  }
}

function clientFields({ clientId, clientSecret }: SlackClient): Readonly<Record<string, string>> {
  return { client_id: clientId, client_secret: clientSecret.reveal() };
}

function accountIn(body: UntrustedRecord): string | undefined {
  const part = body["is_enterprise_install"] === true ? "enterprise" : "team";
  return idIn(recordIn(body, part), "id");
}

type Tokens = Pick<Grant, "expiresAt"> & {
  readonly credentials: { readonly bot_token: Secret; readonly refresh_token?: Secret };
};

function readTokens(body: UntrustedRecord, at: Date): Tokens {
  const botToken = textIn(body, "access_token");
  if (botToken === undefined || body["token_type"] !== "bot") {
    throw new ConnectorError("rejected", "Slack gave no bot token: the app asks for no bot scopes");
  }
  const refreshToken = textIn(body, "refresh_token");
  const seconds = body["expires_in"];
  const expires = typeof seconds === "number" && seconds > 0;
  return {
    credentials: {
      bot_token: new Secret(botToken),
      ...(refreshToken && { refresh_token: new Secret(refreshToken) }),
    },
    ...(expires && { expiresAt: new Date(at.getTime() + seconds * 1_000) }),
  };
}
