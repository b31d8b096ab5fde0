import {
  ConnectorError,
  Secret,
  fetchJson,
  isRecord,
  textIn,
  type InstallationAuthorization,
} from "@infragpt/connector-kit";
import type { GitHubClient } from "./client.ts";
import type { Abortable, GitHubConfig } from "./config.ts";
import { getInstallation, profileOf } from "./installation.ts";
import { assertOwns, findSeen, getOnlyOwned } from "./ownership.ts";

/** The OAuth client of the app, which says who the person is that installed it. */
export interface GitHubOAuthClient {
  readonly clientId: string;
  readonly clientSecret: Secret;
  readonly appSlug: string;
}

type AuthorizationConfig = Pick<GitHubConfig, "apiUrl" | "webUrl" | "appId" | "callTimeoutMs">;

/**
 * A person installs the app on an account and comes back with the installation's id, which anybody
 * could have typed, and with a code that proves who they are. The installation is theirs to connect
 * when the account is their own or an organization that they own; to see one of its repositories is
 * not enough.
 */
export function createAuthorization(
  client: GitHubClient,
  oauth: GitHubOAuthClient,
  config: AuthorizationConfig,
): InstallationAuthorization {
  return {
    kind: "installation",
    credentialType: "token",
    begin({ state }) {
      // GitHub sends people back to the address that the app names, so none is given here.
      const url = new URL(`${appPage(config)}/${oauth.appSlug}/installations/new`);
      url.searchParams.set("state", state);
      return url.href;
    },
    beginInstalled({ state, redirectUri }) {
      const url = new URL(`${config.webUrl}/login/oauth/authorize`);
      url.searchParams.set("client_id", oauth.clientId);
      url.searchParams.set("redirect_uri", redirectUri);
      url.searchParams.set("state", state);
      return url.href;
    },
    async complete({ installationId, code, redirectUri }, options) {
      if (installationId !== undefined && !/^\d{1,15}$/.test(installationId)) throw unseen();
      const token = await exchangeCode(oauth, config, { code, redirectUri }, options);
      try {
        const request = await client.withToken(token, options);
        const { data: person } = await request("GET /user");
        const personId = String(person.id);
        const seen =
          installationId === undefined
            ? await getOnlyOwned(request, personId)
            : await findSeen(request, installationId);
        if (!seen) throw unseen();
        const installation = await getInstallation(client, seen.id, options);
        if (String(installation.app_id) !== config.appId) throw unseen();
        if (installation.suspended_at !== null) {
          throw new ConnectorError("rejected", "the installation is suspended: open it at GitHub");
        }
        await assertOwns(request, seen.account, personId);
        return { credentials: {}, profile: profileOf(installation), grantedBy: personId };
      } finally {
        await endToken(oauth, config, token, options);
      }
    },
  };
}

/** GitHub Enterprise Server keeps apps elsewhere: https://docs.github.com/enterprise-server/apps (2026-11). */
function appPage({ apiUrl, webUrl }: AuthorizationConfig): string {
  const isServer = new URL(apiUrl).pathname.startsWith("/api/v3");
  return `${webUrl}/${isServer ? "github-apps" : "apps"}`;
}

/** https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app (2026-11). */
async function exchangeCode(
  { clientId, clientSecret }: GitHubOAuthClient,
  { webUrl, callTimeoutMs }: AuthorizationConfig,
  { code, redirectUri }: { readonly code: string; readonly redirectUri: string },
  { signal }: Abortable,
): Promise<Secret> {
  const { body } = await fetchJson({
    vendor: "GitHub",
    action: "exchange a code",
    url: `${webUrl}/login/oauth/access_token`,
    method: "POST",
    body: new URLSearchParams({
      client_id: clientId,
      client_secret: clientSecret.reveal(),
      code,
      redirect_uri: redirectUri,
    }),
    timeoutMs: callTimeoutMs,
    signal,
  });
  // Refusals are answered with 200 too.
  const answer = isRecord(body) ? body : {};
  const token = textIn(answer, "access_token");
  if (token !== undefined) return new Secret(token);
  const said = textIn(answer, "error") ?? "no token";
  const reason = /^[a-z_]{1,60}$/.test(said) ? said : "an error";
  throw new ConnectorError("rejected", `GitHub did not take the code: ${reason}`, {
    vendorCode: reason,
  });
}

function unseen(): ConnectorError {
  const message = "this installation is not one that the person who came back can see at GitHub";
  return new ConnectorError("rejected", message);
}

/** Nothing needs the person's token any more; one that could not be ended ends by itself in 8 hours. */
async function endToken(
  { clientId, clientSecret }: GitHubOAuthClient,
  { apiUrl, callTimeoutMs }: AuthorizationConfig,
  token: Secret,
  { signal }: Abortable,
): Promise<void> {
  const pair = `${clientId}:${clientSecret.reveal()}`;
  try {
    await fetchJson({
      vendor: "GitHub",
      action: "end a token",
      url: `${apiUrl}/applications/${encodeURIComponent(clientId)}/token`,
      method: "DELETE",
      headers: { authorization: `Basic ${Buffer.from(pair).toString("base64")}` },
      body: { access_token: token.reveal() },
      timeoutMs: callTimeoutMs,
      signal,
    });
  } catch (error) {
    if (!(error instanceof ConnectorError)) throw error;
  }
}
