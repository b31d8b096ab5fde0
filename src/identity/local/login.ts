import { withSystem, withTenant } from "#database";
import type { Principal } from "#platform";
import type { IdentityDeps } from "../deps.ts";
import { hashOf, isToken, randomToken } from "../hash-token.ts";
import { LOCAL_ORGANIZATION_ID, LOCAL_USER_ID, localPrincipal } from "../model.ts";
import {
  deleteExpired,
  endSession,
  findLiveSession,
  insertLoginLink,
  insertSession,
  useLoginLink,
} from "./store.ts";

const LINK_MS = 15 * 60_000;
export const SESSION_SECONDS = 30 * 24 * 3_600;

/** A one-time address that signs in the admin of local mode, for a quarter of an hour. `publicUrl` ends without a slash. */
export async function createLoginLink(
  deps: Pick<IdentityDeps, "db" | "ids" | "clock">,
  publicUrl: string,
): Promise<string> {
  const token = randomToken();
  const at = deps.clock.now();
  await withTenant(deps.db, LOCAL_ORGANIZATION_ID, async (tx) => {
    await deleteExpired(tx, at);
    await insertLoginLink(tx, {
      id: deps.ids(),
      organizationId: LOCAL_ORGANIZATION_ID,
      userId: LOCAL_USER_ID,
      hash: hashOf(token),
      at,
      expiresAt: new Date(at.getTime() + LINK_MS),
    });
  });
  return `${publicUrl}/login?token=${token}`;
}

/** Turns a one-time token into the token of a session; undefined when it was used or is too old. */
export async function startSession(
  deps: IdentityDeps,
  loginToken: string,
): Promise<string | undefined> {
  if (!isToken(loginToken)) return undefined;
  const token = randomToken();
  const at = deps.clock.now();
  const isStarted = await withSystem(deps.db, "use a login link", async (tx) => {
    const link = await useLoginLink(tx, hashOf(loginToken), at);
    if (!link) return false;
    const { organizationId, userId } = link;
    const id = deps.ids();
    const expiresAt = new Date(at.getTime() + SESSION_SECONDS * 1000);
    await insertSession(tx, { id, organizationId, userId, hash: hashOf(token), at, expiresAt });
    await deps.audit.append(tx, {
      organizationId,
      actor: { kind: "local", id: userId },
      action: "session.started",
      target: { kind: "session", id },
      outcome: "ok",
      details: { method: "login_link" },
    });
    return true;
  });
  return isStarted ? token : undefined;
}

/** Whose session a cookie is. */
export async function authenticateSession(
  deps: IdentityDeps,
  token: string,
): Promise<Principal | undefined> {
  if (!isToken(token)) return undefined;
  const session = await withSystem(deps.db, "find a local session", (tx) =>
    findLiveSession(tx, hashOf(token), deps.clock.now()),
  );
  if (session?.organizationId !== LOCAL_ORGANIZATION_ID) return undefined;
  return { ...localPrincipal, id: session.userId, userId: session.userId };
}

/** Ends a session, at once and for good. */
export async function stopSession(deps: IdentityDeps, token: string): Promise<void> {
  if (!isToken(token)) return;
  await withSystem(deps.db, "end a local session", async (tx) => {
    const session = await endSession(tx, hashOf(token), deps.clock.now());
    if (!session) return;
    await deps.audit.append(tx, {
      organizationId: session.organizationId,
      actor: { kind: "local", id: session.userId },
      action: "session.ended",
      target: { kind: "session", id: session.id },
      outcome: "ok",
    });
  });
}
