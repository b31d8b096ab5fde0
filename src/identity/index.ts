import { createRefusals } from "#audit";
import { AppError, type Principal, type RawRoute, type Route, type Secret } from "#platform";
import { authenticate, type Credentials } from "./authenticate.ts";
import { createChatLinkToken, type NewChatLink } from "./chat/create-chat-link.ts";
import { findChatUser } from "./chat/find-chat-user.ts";
import { linkPageRoutes } from "./chat/link-page.ts";
import { unlinkOwnChatUser } from "./chat/unlink-chat-user.ts";
import { directoryWebhook } from "./clerk/receive-webhook.ts";
import { createSessionVerifier } from "./clerk/verify-session.ts";
import type { IdentityDeps } from "./deps.ts";
import { createLoginLink } from "./local/login.ts";
import { localRoutes } from "./local/routes.ts";
import { adminOf, type ChatPerson, type Permission } from "./model.ts";
import { identityRoutes } from "./routes.ts";
import { createToken } from "./tokens/create-token.ts";
import { createTokens, type Tokens } from "./tokens/create-tokens.ts";

export type { Credentials } from "./authenticate.ts";
export {
  assertCan,
  assertCanByName,
  assertSamePrincipal,
  can,
  missingPermission,
  noSuchThing,
  type ClaimedIds,
  type Owned,
} from "./can.ts";
export type { NewChatLink } from "./chat/create-chat-link.ts";
export { claimedIds } from "./claimed-ids.ts";
export type { IdentityDeps, TokenDeps } from "./deps.ts";
export { organizationDeleted } from "./events.ts";
export { createLoginLink } from "./local/login.ts";
export {
  LOCAL_ORGANIZATION_ID,
  LOCAL_USER_ID,
  PERMISSIONS,
  TOKEN_SCOPES,
  adminOf,
  permissionsOfRole,
  type ChatPerson,
  type Permission,
} from "./model.ts";
export type { CreatedToken, NewToken } from "./tokens/create-token.ts";
export { createTokens, type Tokens } from "./tokens/create-tokens.ts";
export type { ServiceToken } from "./tokens/store.ts";

/** Clerk, as the configuration describes it. */
export interface ClerkSettings {
  readonly publishableKey?: string | undefined;
  /** By default read from the publishable key. */
  readonly issuer?: string | undefined;
  readonly jwksUrl?: string | undefined;
  readonly jwtKey?: Secret | undefined;
  readonly webhookSecret?: readonly Secret[] | undefined;
  readonly authorizedParties: readonly string[];
}

/** Who says who is who. "none": service tokens only. */
export type IdentityProvider =
  | { readonly kind: "clerk"; readonly clerk: ClerkSettings }
  | { readonly kind: "local" }
  | { readonly kind: "none" };

export interface IdentityOptions {
  readonly provider: IdentityProvider;
  /** "http://localhost:8080", without a slash at its end: links begin with it. */
  readonly publicUrl: () => string;
}

export interface Identity {
  readonly provider: IdentityProvider["kind"];
  /** Says who calls; undefined when nobody we know. Throws forbidden for people without an organization here. */
  authenticate(
    credentials: Credentials,
    options: { readonly isAnonymousLoopbackAllowed: boolean },
  ): Promise<Principal | undefined>;
  /** Remembers that somebody we know asked for what they may not have. Bounded, and never throws. */
  recordDenial(
    principal: Principal,
    denied: { readonly request: string; readonly reason: string },
  ): Promise<void>;
  readonly routes: readonly Route[];
  /** Login, logout and the page that links a chat account. */
  readonly rawRoutes: readonly RawRoute[];
  /** `POST /webhooks/clerk`, for the main server and for one of its own; undefined without a secret. */
  readonly directoryWebhook: RawRoute | undefined;
  /** The one-time link that signs in the admin of local mode. Undefined where identity is not local. */
  createLoginLink(): Promise<string | undefined>;
  readonly tokens: Tokens;
  /** Makes a token for a program of an organization; for the command line and tests, which act as its admin. */
  createServiceToken(
    organizationId: string,
    input: {
      readonly name: string;
      readonly scopes: readonly Permission[];
      readonly expiresAt?: Date;
    },
  ): Promise<{ readonly id: string; readonly token: Secret }>;
  readonly chat: {
    /** The address of the page that ties a chat account to whoever is signed in there. Throws forbidden for strangers and guests. */
    createLink(input: NewChatLink): Promise<string>;
    /** Whom somebody in a chat acts as, with that member's own permissions; undefined for everybody who is nobody here. */
    findUser(
      organizationId: string,
      integrationId: string,
      person: ChatPerson,
    ): Promise<Principal | undefined>;
    /** Ends the link of a chat account. Returns whether there was one. */
    unlink(input: {
      readonly organizationId: string;
      readonly integrationId: string;
      readonly chatUserId: string;
    }): Promise<boolean>;
  };
}

/** Knows who calls, for whom they act and what they may do. Throws AppError for settings that cannot work. */
export function createIdentity(deps: IdentityDeps, options: IdentityOptions): Identity {
  const { provider } = options;
  const clerk = provider.kind === "clerk" ? provider.clerk : undefined;
  const refusals = createRefusals(deps);
  const authenticateDeps = {
    ...deps,
    refusals,
    sessions: clerk && createSessionVerifier({ ...sessionSettings(clerk), ...deps }),
    isLocalIdentity: provider.kind === "local",
    notedSessions: new Set<string>(),
  };
  const chatDeps = { ...deps, provider: provider.kind };
  const webhook = clerk && directoryWebhook({ ...deps, refusals }, clerk.webhookSecret ?? []);

  return {
    provider: provider.kind,
    authenticate: (credentials, how) => authenticate(authenticateDeps, credentials, how),
    recordDenial: ({ organizationId, kind, id }, denied) =>
      refusals.record({
        action: "access.denied",
        organizationId,
        actor: { kind, id },
        details: { ...denied },
      }),
    routes: identityRoutes(deps),
    rawRoutes: [
      ...(provider.kind === "local" ? localRoutes(deps) : []),
      ...linkPageRoutes({
        ...deps,
        publicUrl: options.publicUrl,
        authenticate: (credentials) =>
          authenticate(authenticateDeps, credentials, { isAnonymousLoopbackAllowed: false }),
      }),
    ],
    directoryWebhook: webhook,
    createLoginLink: async () =>
      provider.kind === "local" ? createLoginLink(deps, options.publicUrl()) : undefined,
    tokens: createTokens(deps),
    createServiceToken: (organizationId, input) =>
      createToken(deps, adminOf(organizationId, "command-line"), input),
    chat: {
      async createLink(input) {
        return `${options.publicUrl()}/link?token=${await createChatLinkToken(deps, input)}`;
      },
      findUser: (organizationId, integrationId, person) =>
        findChatUser(chatDeps, organizationId, integrationId, person),
      unlink: (input) => unlinkOwnChatUser(deps, input),
    },
  };
}

function sessionSettings(clerk: ClerkSettings) {
  const issuer = (clerk.issuer ?? issuerOf(clerk.publishableKey))?.replace(/\/+$/, "");
  if (issuer === undefined) {
    throw new AppError(
      "invalid_request",
      "identity.clerk.issuer is missing: set it to the Frontend API URL, or set publishable_key.",
    );
  }
  return {
    issuer,
    jwksUrl: clerk.jwksUrl ?? `${issuer}/.well-known/jwks.json`,
    jwtKey: clerk.jwtKey,
    authorizedParties: clerk.authorizedParties,
  };
}

/** A publishable key is `pk_test_` and the Frontend API's host with a dollar sign behind it, in base64. */
function issuerOf(publishableKey: string | undefined): string | undefined {
  const encoded = /^pk_(?:test|live)_([A-Za-z0-9+/=_-]{4,400})$/.exec(publishableKey ?? "")?.[1];
  const host = encoded && Buffer.from(encoded, "base64").toString("utf8");
  return host && /^[a-z0-9.-]+\$$/i.test(host) ? `https://${host.slice(0, -1)}` : undefined;
}
