import { randomUUID } from "node:crypto";
import type { Authorization, Connector, CredentialField, SetupFact } from "@infragpt/connector-kit";
import type { Audit } from "#audit";
import { withTenant, type Database } from "#database";
import { assertCan } from "#identity";
import {
  AppError,
  type Abortable,
  type Clock,
  type Ids,
  type Keyring,
  type Principal,
} from "#platform";
import { STATE_SECONDS, browserCookie, challengeOf, hashOf, newSecret } from "./state.ts";
import { countOpenStates, insertState, type AuthorizationState } from "./store.ts";

/** Enough for every person of an organization; more is a program gone wrong. */
const OPEN_STATES_MAX = 200;

export interface AuthorizeDeps {
  readonly db: Database;
  readonly keyring: Keyring;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly audit: Pick<Audit, "append">;
  readonly connectors: ReadonlyMap<string, Connector>;
  /** Fixed by the configuration, never by a request. */
  readonly redirectUri: (connectorId: string) => string;
  /** Whether the browsers of people reach us by TLS. */
  readonly isSecure: () => boolean;
}

/** What a person does next: follow a link to the vendor, or fill in a form. */
type NextStep =
  | {
      readonly kind: "redirect";
      readonly type: "oauth2" | "installation";
      readonly url: string;
      /** Where an app that is installed already is only connected. */
      readonly installedUrl?: string;
    }
  | {
      readonly kind: "form";
      readonly fields: readonly CredentialField[];
      readonly setup: readonly SetupFact[];
      readonly url: string | undefined;
    };

export interface Authorized {
  readonly state: string;
  readonly step: NextStep;
  /** For the Set-Cookie header of the answer. */
  readonly cookie: string;
  readonly expiresAt: Date;
}

/** Begins to connect an account. What comes back is bound to this principal, connector and browser. */
export async function authorize(
  deps: AuthorizeDeps,
  principal: Principal,
  input: { readonly connectorId: string; readonly label?: string | undefined },
  options: Abortable & { readonly requestId?: string },
): Promise<Authorized> {
  assertCan(principal, "integration:connect");
  const connector = getAuthorizable(deps.connectors, input.connectorId);
  const { authorization } = connector;
  const state = newSecret();
  const browser = newSecret();
  const id = deps.ids();
  const { organizationId } = principal;
  const at = deps.clock.now();
  const expiresAt = new Date(at.getTime() + STATE_SECONDS * 1_000);
  const redirectUri = deps.redirectUri(connector.id);
  const verifier = hasPkce(authorization) ? newSecret() : undefined;
  const externalId = authorization.kind === "role" ? randomUUID() : undefined;
  const codeVerifier =
    verifier === undefined
      ? undefined
      : await seal(deps, { organizationId, id }, verifier, options);
  const step = begin(authorization, { state, redirectUri, verifier, externalId });
  await withTenant(deps.db, organizationId, async (tx) => {
    if ((await countOpenStates(tx, organizationId, at)) >= OPEN_STATES_MAX) {
      throw new AppError(
        "rate_limited",
        "Too many connections of this organization were begun and not finished: wait ten minutes.",
      );
    }
    await insertState(tx, organizationId, {
      id,
      organizationId,
      connectorId: connector.id,
      label: input.label,
      principalId: principal.id,
      userId: principal.userId,
      redirectUri,
      externalId,
      codeVerifier,
      stateHash: hashOf(state),
      browserHash: hashOf(browser),
      at,
      expiresAt,
    });
    await deps.audit.append(tx, {
      organizationId,
      actor: { kind: principal.kind, id: principal.id },
      action: "integration.authorize_started",
      target: { kind: "authorization", id },
      outcome: "ok",
      details: { connector: connector.id, label: input.label },
      requestId: options.requestId,
    });
  });
  return { state, step, cookie: browserCookie(state, browser, deps.isSecure()), expiresAt };
}

export type Authorizable = Connector & { readonly authorization: Authorization };

/** Throws invalid_request, saying what can be connected. */
export function getAuthorizable(
  connectors: ReadonlyMap<string, Connector>,
  connectorId: string,
): Authorizable {
  const connector = connectors.get(connectorId);
  if (connector && isAuthorizable(connector)) return connector;
  const known = [...connectors.values()].filter(isAuthorizable).map(({ id }) => id);
  const choice = known.length > 0 ? `one of ${known.join(", ")}` : "none: see the configuration";
  throw new AppError(
    "invalid_request",
    `"${connectorId}" cannot be connected here; connector_type is ${choice}.`,
    { details: { connector_types: known } },
  );
}

function isAuthorizable(connector: Connector): connector is Authorizable {
  return connector.authorization !== undefined;
}

function hasPkce(authorization: Authorization): boolean {
  return authorization.kind === "oauth2" && authorization.hasPkce;
}

function begin(
  authorization: Authorization,
  made: {
    readonly state: string;
    readonly redirectUri: string;
    readonly verifier: string | undefined;
    readonly externalId: string | undefined;
  },
): NextStep {
  const { state, redirectUri, verifier, externalId = "" } = made;
  switch (authorization.kind) {
    case "oauth2": {
      const challenge = verifier && { codeChallenge: challengeOf(verifier) };
      const url = authorization.begin({ state, redirectUri, ...challenge });
      return { kind: "redirect", type: "oauth2", url };
    }
    case "installation": {
      const url = authorization.begin({ state, redirectUri });
      const installedUrl = authorization.beginInstalled?.({ state, redirectUri });
      const other = installedUrl !== undefined && { installedUrl };
      return { kind: "redirect", type: "installation", url, ...other };
    }
    case "api_key":
      return { kind: "form", fields: authorization.fields, setup: [], url: undefined };
    case "role": {
      const { setup, url } = authorization.begin({ externalId });
      return { kind: "form", fields: authorization.fields, setup, url };
    }
  }
}

const VERIFIER = { credentialType: "pkce_verifier", version: 1 } as const;

async function seal(
  { keyring }: Pick<AuthorizeDeps, "keyring">,
  { organizationId, id }: { readonly organizationId: string; readonly id: string },
  verifier: string,
  options: Abortable,
): Promise<AuthorizationState["codeVerifier"]> {
  const context = { organizationId, integrationId: id, ...VERIFIER };
  const { format, kekId, wrappedDek, ciphertext } = await keyring.seal(
    context,
    Buffer.from(verifier),
    options,
  );
  return {
    format,
    kekId,
    wrappedDek: Buffer.from(wrappedDek),
    ciphertext: Buffer.from(ciphertext),
  };
}

/** The verifier of a state that has just been used up. */
export async function openVerifier(
  { keyring }: Pick<AuthorizeDeps, "keyring">,
  { organizationId, id, codeVerifier }: AuthorizationState,
  options: Abortable,
): Promise<string | undefined> {
  if (!codeVerifier) return undefined;
  const context = { organizationId, integrationId: id, ...VERIFIER };
  return Buffer.from(await keyring.open(context, codeVerifier, options)).toString("utf8");
}
