import { createHash, randomBytes } from "node:crypto";

import type { Permissions } from "./model.ts";
import type { Account, Installation } from "./records.ts";

const INSTALLATION_TOKEN_MS = 3_600_000;
const USER_TOKEN_SECONDS = 28_800;
const REFRESH_TOKEN_SECONDS = 15_897_600;
// https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app
const CODE_MS = 600_000;

export interface InstallationToken {
  readonly token: string;
  readonly installation: Installation;
  readonly permissions: Permissions;
  /** undefined: everything that the installation reaches. */
  readonly repositoryIds: ReadonlySet<number> | undefined;
  readonly expiresAtMs: number;
}

interface Code {
  readonly user: Account;
  readonly redirectUri: string;
  readonly challenge: string | undefined;
  readonly expiresAtMs: number;
}

interface UserGrant {
  readonly user: Account;
  readonly expiresAtMs: number;
}

export interface UserTokens {
  readonly access_token: string;
  readonly expires_in: number;
  readonly refresh_token: string;
  readonly refresh_token_expires_in: number;
}

/** Every token that is out, and whose it is. */
export class Credentials {
  readonly issued: string[] = [];
  readonly #now: () => number;
  readonly #installationTokens = new Map<string, InstallationToken>();
  readonly #codes = new Map<string, Code>();
  readonly #userTokens = new Map<string, UserGrant>();
  readonly #refreshTokens = new Map<string, UserGrant>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** A new random text that counts as a secret. */
  secret(prefix: string): string {
    const secret = `${prefix}${randomBytes(18).toString("hex")}`;
    this.issued.push(secret);
    return secret;
  }

  /** Counts what a client made as a secret too. */
  remember(secret: string): void {
    if (!this.issued.includes(secret)) this.issued.push(secret);
  }

  issueInstallationToken(
    scope: Pick<InstallationToken, "installation" | "permissions" | "repositoryIds">,
  ): InstallationToken {
    const expiresAtMs = this.#now() + INSTALLATION_TOKEN_MS;
    const issued = { ...scope, token: this.secret("ghs_"), expiresAtMs };
    this.#installationTokens.set(issued.token, issued);
    return issued;
  }

  findInstallationToken(token: string): InstallationToken | undefined {
    const found = this.#installationTokens.get(token);
    return found && found.expiresAtMs > this.#now() ? found : undefined;
  }

  revokeInstallationToken(token: string): void {
    this.#installationTokens.delete(token);
  }

  revokeInstallation(installation: Installation): void {
    for (const [token, issued] of this.#installationTokens) {
      if (issued.installation === installation) this.#installationTokens.delete(token);
    }
  }

  issueCode(user: Account, redirectUri: string, challenge?: string): string {
    const code = this.secret("");
    const expiresAtMs = this.#now() + CODE_MS;
    this.#codes.set(code, { user, redirectUri, challenge, expiresAtMs });
    return code;
  }

  /** The code, if it is still good; it stays good until it is used up. */
  findCode(code: string, verifier: string | undefined): Code | undefined {
    const found = this.#codes.get(code);
    if (!found || found.expiresAtMs <= this.#now()) return undefined;
    if (found.challenge === undefined) return found;
    const challenge = createHash("sha256")
      .update(verifier ?? "")
      .digest("base64url");
    return challenge === found.challenge ? found : undefined;
  }

  useCode(code: string): void {
    this.#codes.delete(code);
  }

  issueUserTokens(user: Account): UserTokens {
    const access = this.secret("ghu_");
    const refresh = this.secret("ghr_");
    const now = this.#now();
    this.#userTokens.set(access, { user, expiresAtMs: now + USER_TOKEN_SECONDS * 1_000 });
    this.#refreshTokens.set(refresh, { user, expiresAtMs: now + REFRESH_TOKEN_SECONDS * 1_000 });
    return {
      access_token: access,
      expires_in: USER_TOKEN_SECONDS,
      refresh_token: refresh,
      refresh_token_expires_in: REFRESH_TOKEN_SECONDS,
    };
  }

  /** A refresh token works once. */
  useRefreshToken(token: string): Account | undefined {
    const grant = this.#refreshTokens.get(token);
    this.#refreshTokens.delete(token);
    return grant && grant.expiresAtMs > this.#now() ? grant.user : undefined;
  }

  findUser(token: string): Account | undefined {
    const grant = this.#userTokens.get(token);
    return grant && grant.expiresAtMs > this.#now() ? grant.user : undefined;
  }

  revokeUserToken(token: string): boolean {
    return this.#userTokens.delete(token);
  }
}
