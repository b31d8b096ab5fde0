import {
  ConnectorError,
  Secret,
  fetchJson,
  isRecord,
  textIn,
  type InstallationAuthorization,
} from "@infragpt/connector-kit";
import type { GitHubClient, GitHubRequest } from "./client.ts";
import type { Abortable, GitHubConfig } from "./config.ts";
import { nextPageIn } from "./calls.ts";
import { getInstallation, profileOf, type Installation } from "./installation.ts";

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
    async complete({ installationId, code, redirectUri }, options) {
      if (!/^\d{1,15}$/.test(installationId)) throw unseen();
      const token = await exchangeCode(oauth, config, { code, redirectUri }, options);
      try {
        const request = await client.withToken(token, options);
        const { data: person } = await request("GET /user");
        const account = await findSeenAccount(request, installationId);
        if (!account) throw unseen();
        const installation = await getInstallation(client, installationId, options);
        if (String(installation.app_id) !== config.appId) throw unseen();
        if (installation.suspended_at !== null) {
          throw new ConnectorError("rejected", "the installation is suspended: open it at GitHub");
        }
        await assertOwns(request, account, String(person.id));
        return { credentials: {}, profile: profileOf(installation), grantedBy: String(person.id) };
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

const PAGES_MAX = 20;

async function assertOwns(
  request: GitHubRequest,
  account: NonNullable<Installation["account"]>,
  personId: string,
): Promise<void> {
  if (String(account.id) === personId) return;
  // An enterprise has no login: who owns it is not told.
  if (!("login" in account)) throw unseen();
  const membership = await findMembership(request, account.login);
  if (membership?.state === "active" && membership.role === "admin") return;
  const message = `only an owner of ${account.login} can connect it: ask one of them to do so`;
  throw new ConnectorError("rejected", message);
}

/** Of all that the person sees: the account of this installation. */
async function findSeenAccount(
  request: GitHubRequest,
  installationId: string,
): Promise<NonNullable<Installation["account"]> | undefined> {
  let page: number | undefined = 1;
  for (let count = 0; page !== undefined && count < PAGES_MAX; count += 1) {
    const { data, headers } = await request("GET /user/installations", { per_page: 100, page });
    const seen = data.installations.find(({ id }) => String(id) === installationId);
    if (seen) return seen.account ?? undefined;
    page = nextPageIn(headers);
  }
  return undefined;
}

async function findMembership(request: GitHubRequest, org: string) {
  try {
    const { data } = await request("GET /user/memberships/orgs/{org}", { org });
    return data;
  } catch (error) {
    if (!(error instanceof ConnectorError)) throw error;
    if (error.vendorCode === "http_404") return undefined;
    if (error.kind !== "missing_permission") throw error;
    const message =
      "the GitHub App cannot see who owns the organization: " +
      "give it the organization permission Members (read) and accept it there";
    throw new ConnectorError("missing_permission", message);
  }
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
