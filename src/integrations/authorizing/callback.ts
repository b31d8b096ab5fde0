import { ConnectorError, Secret, type FieldValues, type Grant } from "@infragpt/connector-kit";
import type { Audit } from "#audit";
import { withSystem } from "#database";
import { assertCan } from "#identity";
import { AppError, deadline, type Abortable, type Log, type Principal } from "#platform";
import { saveGrant, type SaveGrantDeps } from "../connected/save-grant.ts";
import type { Integration } from "../model.ts";
import {
  getAuthorizable,
  openVerifier,
  type Authorizable,
  type AuthorizeDeps,
} from "./authorize.ts";
import { readValues } from "./read-values.ts";
import { hashOf, looksLikeState, readBrowserCookie } from "./state.ts";
import { takeState, type AuthorizationState, type StateHolder } from "./store.ts";

const EXCHANGE_TIMEOUT_MS = 20_000;

export interface CallbackDeps extends AuthorizeDeps, SaveGrantDeps {
  readonly audit: Pick<Audit, "append" | "record">;
  readonly log: Log;
}

/** What a browser or a program brings back. Everything in it may be forged. */
export interface CallbackInput {
  readonly connectorId: string;
  readonly state: string | undefined;
  readonly code?: string | undefined;
  readonly installationId?: string | undefined;
  readonly credentials?: Readonly<Record<string, string>> | undefined;
  /** The vendor's word for why it refused: "access_denied". */
  readonly vendorError?: string | undefined;
}

/** Ends what `authorize` began, for the principal that began it. */
export async function completeAsPrincipal(
  deps: CallbackDeps,
  principal: Principal,
  input: CallbackInput,
  options: Abortable & { readonly requestId?: string },
): Promise<Integration> {
  assertCan(principal, "integration:connect");
  const { organizationId, id: principalId } = principal;
  return complete(deps, input, { kind: "principal", organizationId, principalId }, options);
}

/** The same for a browser that the vendor sent back: it proves itself by the cookie of its state. */
export async function completeInBrowser(
  deps: CallbackDeps,
  cookieHeader: string | undefined,
  input: CallbackInput,
  options: Abortable,
): Promise<Integration> {
  const { state } = input;
  if (!looksLikeState(state)) throw unknownState();
  const cookie = readBrowserCookie(cookieHeader, state, deps.isSecure());
  if (cookie === undefined) {
    throw new AppError(
      "invalid_request",
      "This browser did not begin this connection: start again, and stay in one browser.",
    );
  }
  return complete(deps, input, { kind: "browser", browserHash: hashOf(cookie) }, options);
}

async function complete(
  deps: CallbackDeps,
  input: CallbackInput,
  holder: StateHolder,
  options: Abortable & { readonly requestId?: string },
): Promise<Integration> {
  const connector = getAuthorizable(deps.connectors, input.connectorId);
  const answer = readAnswer(connector, input);
  const { state } = input;
  if (!looksLikeState(state)) throw unknownState();
  const taken = await withSystem(deps.db, "take the state that a browser brought back", (tx) =>
    takeState(tx, {
      stateHash: hashOf(state),
      connectorId: connector.id,
      holder,
      at: deps.clock.now(),
    }),
  );
  if (!taken) throw unknownState();
  try {
    const grant = await exchange(deps, connector, taken, answer, options);
    const { organizationId, label, userId, principalId } = taken;
    const actor = { kind: userId === undefined ? "service" : "user", id: principalId } as const;
    const integration = await saveGrant(
      deps,
      { organizationId, connector, grant, label, userId, actor, requestId: options.requestId },
      options,
    );
    const facts = { organizationId, integrationId: integration.id, connectorId: connector.id };
    deps.log.info(facts, "account connected");
    return integration;
  } catch (error) {
    const refused = toRefusal(error, connector);
    await remember(deps, taken, refused, options.requestId);
    throw refused;
  }
}

/** One sentence for a state that is forged, foreign, used or late: which of them is nobody's business. */
function unknownState(): AppError {
  return new AppError(
    "invalid_request",
    "This connection is not known, was finished before, or began more than ten minutes ago: start again.",
  );
}

type Answer =
  | { readonly kind: "refused"; readonly by: string }
  | { readonly kind: "code"; readonly code: string; readonly installationId: string | undefined }
  | { readonly kind: "values"; readonly values: FieldValues };

const CODE = /^[\x21-\x7e]{1,2000}$/;

/** What the kind of authorization needs, checked before the state is used up: a form may be sent again. */
function readAnswer({ authorization, name }: Authorizable, input: CallbackInput): Answer {
  if (input.vendorError !== undefined) {
    const isCode = /^[a-z][a-z0-9_.-]{0,80}$/i.test(input.vendorError);
    return { kind: "refused", by: isCode ? input.vendorError : "an error" };
  }
  if (authorization.kind === "api_key" || authorization.kind === "role") {
    return { kind: "values", values: readValues(authorization.fields, input.credentials ?? {}) };
  }
  const { code, installationId } = input;
  if (code === undefined || !CODE.test(code)) {
    throw new AppError("invalid_request", `The code that ${name} gives is missing: start again.`);
  }
  if (authorization.kind !== "installation") return { kind: "code", code, installationId };
  const isUnnamed = installationId === undefined && authorization.beginInstalled !== undefined;
  if (!isUnnamed && !/^[\x21-\x7e]{1,200}$/.test(installationId ?? "")) {
    throw new AppError(
      "invalid_request",
      `The id of the installation is missing; ${name} gives it once the app is installed.`,
    );
  }
  return { kind: "code", code, installationId };
}

async function exchange(
  deps: CallbackDeps,
  { authorization, name }: Authorizable,
  state: AuthorizationState,
  answer: Answer,
  options: Abortable,
): Promise<Grant> {
  if (answer.kind === "refused") {
    throw new AppError("invalid_request", `${name} did not grant access: ${answer.by}.`);
  }
  const timed = { signal: deadline(options.signal, EXCHANGE_TIMEOUT_MS) };
  const { redirectUri, externalId = "" } = state;
  if (answer.kind === "values") {
    const { values } = answer;
    if (authorization.kind === "role") {
      return authorization.complete({ values, externalId }, timed);
    }
    if (authorization.kind === "api_key") return authorization.complete({ values }, timed);
    throw unknownState();
  }
  const { code, installationId } = answer;
  if (authorization.kind === "installation") {
    return authorization.complete({ installationId, code, redirectUri }, timed);
  }
  if (authorization.kind !== "oauth2") throw unknownState();
  const codeVerifier = await openVerifier(deps, state, timed);
  return authorization.complete(
    { code, redirectUri, ...(codeVerifier === undefined ? {} : { codeVerifier }) },
    timed,
  );
}

/** Every way in which a vendor fails is the caller's to repeat: nothing was stored. */
function toRefusal(error: unknown, { name }: Pick<Authorizable, "name">): AppError {
  if (error instanceof AppError) return error;
  if (!(error instanceof ConnectorError)) {
    return new AppError("internal", "Something went wrong on our side; nothing was stored.", {
      cause: error,
    });
  }
  const options = { cause: error, details: { reason: error.kind } };
  switch (error.kind) {
    case "rate_limited":
    case "unavailable":
    case "uncertain":
      return new AppError(
        "conflict",
        `${name} did not answer as it should; nothing was stored. Start again.`,
        options,
      );
    case "unauthorized":
    case "missing_permission":
    case "not_member":
    case "gone":
    case "rejected":
      return new AppError(
        "invalid_request",
        `${sentence(error.message)} Nothing was stored.`,
        options,
      );
  }
}

/** What a connector says begins like a part of a sentence. */
function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

async function remember(
  deps: CallbackDeps,
  state: AuthorizationState,
  refused: AppError,
  requestId: string | undefined,
): Promise<void> {
  const { organizationId, userId, principalId, connectorId } = state;
  deps.log.info({ organizationId, connectorId, err: refused }, "account not connected");
  await deps.audit.record({
    organizationId,
    actor: { kind: userId === undefined ? "service" : "user", id: principalId },
    action: "integration.connected",
    target: { kind: "authorization", id: state.id },
    outcome: "failed",
    details: { connector: connectorId, reason: refused.message },
    requestId,
  });
}

/** For `validate`, which takes the same values and stores nothing. */
export function secretsOf(values: Readonly<Record<string, string>>): FieldValues {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, new Secret(value)]),
  );
}
