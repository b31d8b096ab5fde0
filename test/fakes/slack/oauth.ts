import { randomBytes } from "node:crypto";

import type { CallArguments } from "./call-arguments.ts";
import type { JsonObject } from "./model.ts";
import { Refusal } from "./refusal.ts";
import type { SlackState, Workspace } from "./state.ts";

const TOKEN_SECONDS = 43_200;

export interface OAuthClient {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly appId: string;
}

interface IssuedCode {
  readonly teamId: string;
  readonly userId: string;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
}

/** Slack's OAuth v2: codes that work once, tokens that may rotate. */
export class OAuth {
  readonly #state: SlackState;
  readonly #client: OAuthClient;
  readonly #codes = new Map<string, IssuedCode>();
  /** Refresh token to its workspace; used up ones are gone. */
  readonly #refreshTokens = new Map<string, string>();
  /** Every code and token that was ever given out. */
  readonly issued: string[] = [];

  constructor(state: SlackState, client: OAuthClient) {
    this.#state = state;
    this.#client = client;
  }

  /** A person presses Allow on the page behind this address. Returns where Slack sends the browser. */
  approve(authorizeUrl: string, { teamId, userId }: { teamId: string; userId: string }): string {
    const { searchParams: asked } = new URL(authorizeUrl);
    if (asked.get("client_id") !== this.#client.clientId) throw new Error("unknown client_id");
    const redirectUri = asked.get("redirect_uri") ?? "";
    const code = randomBytes(12).toString("hex");
    const scopes = (asked.get("scope") ?? "").split(",");
    this.issued.push(code);
    this.#codes.set(code, { teamId, userId, redirectUri, scopes });
    return back(redirectUri, { code, state: asked.get("state") ?? "" });
  }

  /** The same for Cancel. */
  cancel(authorizeUrl: string): string {
    const { searchParams: asked } = new URL(authorizeUrl);
    const state = asked.get("state") ?? "";
    return back(asked.get("redirect_uri") ?? "", { error: "access_denied", state });
  }

  access(args: CallArguments, authorization: string | undefined): JsonObject {
    this.#assertClient(args, authorization);
    if (args.text("grant_type") === "refresh_token") return this.#refresh(args);
    const code = args.required("code");
    const issued = this.#codes.get(code);
    if (!issued) throw new Refusal("invalid_code");
    this.#codes.delete(code);
    if (issued.redirectUri !== (args.text("redirect_uri") ?? "")) {
      throw new Refusal("bad_redirect_uri");
    }
    const workspace = this.#state.workspace(issued.teamId);
    workspace.tokenError = undefined;
    workspace.scopes = issued.scopes;
    return { ...this.#grant(workspace), authed_user: { id: issued.userId } };
  }

  #refresh(args: CallArguments): JsonObject {
    const token = args.required("refresh_token");
    const teamId = this.#refreshTokens.get(token);
    if (teamId === undefined) throw new Refusal("invalid_refresh_token");
    this.#refreshTokens.delete(token);
    return this.#grant(this.#state.workspace(teamId));
  }

  #grant(workspace: Workspace): JsonObject {
    const isOrg = workspace.isEnterpriseInstall === true;
    const { teamId, enterpriseId } = workspace;
    const enterprise =
      enterpriseId === undefined ? null : { id: enterpriseId, name: `Org ${enterpriseId}` };
    return {
      ok: true,
      token_type: "bot",
      scope: workspace.scopes.join(","),
      bot_user_id: workspace.botUserId,
      app_id: this.#client.appId,
      team: isOrg ? null : { id: teamId, name: `Team ${teamId}` },
      enterprise,
      is_enterprise_install: isOrg,
      ...(workspace.rotatesTokens === true ? this.#newPair(workspace) : this.#sameToken(workspace)),
    };
  }

  #sameToken({ botToken }: Workspace): JsonObject {
    this.issued.push(botToken);
    return { access_token: botToken };
  }

  #newPair(workspace: Workspace): JsonObject {
    const accessToken = `xoxe.xoxb-1-${randomBytes(12).toString("hex")}`;
    const refreshToken = `xoxe-1-${randomBytes(12).toString("hex")}`;
    this.issued.push(accessToken, refreshToken);
    workspace.rotatedTokens.add(accessToken);
    this.#refreshTokens.set(refreshToken, workspace.teamId);
    return { access_token: accessToken, refresh_token: refreshToken, expires_in: TOKEN_SECONDS };
  }

  /** `apps.uninstall` and `auth.revoke` end every token of the workspace. */
  uninstall(workspace: Workspace): void {
    workspace.tokenError = "account_inactive";
    for (const [token, teamId] of this.#refreshTokens) {
      if (teamId === workspace.teamId) this.#refreshTokens.delete(token);
    }
  }

  #assertClient(args: CallArguments, authorization: string | undefined): void {
    const { clientId, clientSecret } = this.#client;
    const basic = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString("base64")}`;
    if (authorization === basic) return;
    if (args.text("client_id") !== clientId) throw new Refusal("invalid_client_id");
    if (args.text("client_secret") !== clientSecret) throw new Refusal("bad_client_secret");
  }

  /** The methods that are called with a token and the client's secret. */
  performUninstall(workspace: Workspace, args: CallArguments): JsonObject {
    this.#assertClient(args, undefined);
    this.uninstall(workspace);
    return { ok: true };
  }
}

function back(redirectUri: string, parameters: Readonly<Record<string, string>>): string {
  const url = new URL(redirectUri);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}
