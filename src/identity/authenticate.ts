import type { Refusals } from "#audit";
import { AppError, type Principal } from "#platform";
import { withSystem } from "#database";
import type { Session } from "./clerk/session-claims.ts";
import type { SessionVerifier } from "./clerk/verify-session.ts";
import type { IdentityDeps } from "./deps.ts";
import { readSessionCookie } from "./local/cookie.ts";
import { isFromThisMachine, isLoopback, isOwnPage, type RequestOrigin } from "./local/guards.ts";
import { authenticateSession } from "./local/login.ts";
import { localPrincipal, permissionsOfRole, readOnly } from "./model.ts";
import { findDirectoryMember, findOrganizationId, type Member } from "./store.ts";
import { TOKEN_PREFIX, authenticateToken } from "./tokens/authenticate-token.ts";

const BEARER = /^Bearer ([^\s]{1,8192})$/i;
/** Sessions of which a start was noted; the oldest is forgotten first. */
const NOTED_SESSIONS_MAX = 10_000;

export interface AuthenticateDeps extends IdentityDeps {
  readonly refusals: Refusals;
  readonly sessions: SessionVerifier | undefined;
  readonly isLocalIdentity: boolean;
  /** Ids of sessions whose start this process has noted. */
  readonly notedSessions: Set<string>;
}

export interface Credentials extends RequestOrigin {
  readonly authorization?: string | undefined;
  readonly cookie?: string | undefined;
}

/**
 * Says who calls; undefined when nobody we know. A header that is no credential of ours is refused,
 * never passed over for the next kind. Where it is allowed, a caller from this machine needs none.
 */
export async function authenticate(
  deps: AuthenticateDeps,
  credentials: Credentials,
  options: { readonly isAnonymousLoopbackAllowed: boolean },
): Promise<Principal | undefined> {
  const { authorization, cookie, peer } = credentials;
  if (authorization !== undefined) {
    const token = BEARER.exec(authorization)?.[1];
    if (!token) return undefined;
    return token.startsWith(TOKEN_PREFIX)
      ? authenticateToken(deps, token)
      : authenticateDirectorySession(deps, token);
  }
  const session = readSessionCookie(cookie);
  if (session !== undefined && deps.isLocalIdentity) {
    return isFromThisMachine(credentials) && isOwnPage(credentials)
      ? authenticateSession(deps, session)
      : undefined;
  }
  return options.isAnonymousLoopbackAllowed && isLoopback(peer) ? localPrincipal : undefined;
}

async function authenticateDirectorySession(
  deps: AuthenticateDeps,
  token: string,
): Promise<Principal | undefined> {
  const session = await deps.sessions?.verify(token);
  if (!session) {
    await deps.refusals.record({ action: "session.refused", details: { reason: "not_valid" } });
    return undefined;
  }
  const clerkOrganizationId = session.organizationId;
  if (clerkOrganizationId === undefined) {
    throw new AppError("forbidden", "No organization is active in this session: choose one first.");
  }
  // The row decides, not the claim: what the directory took away is gone at once, not in a minute.
  const { member, organizationId } = await withSystem(
    deps.db,
    "find the membership of a session",
    async (tx) => {
      const found = await findDirectoryMember(tx, clerkOrganizationId, session.userId);
      return {
        member: found,
        organizationId:
          found?.organizationId ?? (await findOrganizationId(tx, clerkOrganizationId)),
      };
    },
  );
  if (!member) {
    await deps.refusals.record({
      action: "session.refused",
      organizationId,
      actor: { kind: "user", id: session.userId },
      details: { reason: "no_membership" },
    });
    throw new AppError(
      "forbidden",
      "You are not known as a member of this organization. If you have just joined, try again in a minute.",
    );
  }
  await noteStart(deps, session, member);
  return principalOf(session, clerkOrganizationId, member);
}

function principalOf(session: Session, clerkOrganizationId: string, member: Member): Principal {
  const permissions = permissionsOfRole(member.role, member.mappedPermissions);
  return {
    kind: "user",
    organizationId: member.organizationId,
    id: member.userId,
    userId: member.userId,
    name: member.name || (member.email ?? ""),
    permissions: session.isImpersonated ? readOnly(permissions) : permissions,
    directory: { organizationId: clerkOrganizationId, userId: session.userId },
    ...(session.isImpersonated ? { isReadOnly: true } : {}),
    ...(session.provenMinutesAgo === undefined
      ? {}
      : {
          provenMinutesAgo: session.provenMinutesAgo,
        }),
  };
}

/** One sign-in is many requests; its first one here is remembered. */
async function noteStart(deps: AuthenticateDeps, session: Session, member: Member): Promise<void> {
  const { sessionId } = session;
  const noted = `${sessionId}:${member.organizationId}`;
  if (sessionId === undefined || deps.notedSessions.has(noted)) return;
  deps.notedSessions.add(noted);
  for (const oldest of deps.notedSessions) {
    if (deps.notedSessions.size <= NOTED_SESSIONS_MAX) break;
    deps.notedSessions.delete(oldest);
  }
  await deps.audit.record({
    organizationId: member.organizationId,
    actor: { kind: "user", id: member.userId },
    action: "session.started",
    target: { kind: "session", id: sessionId },
    outcome: "ok",
    details: { method: "clerk", is_impersonated: session.isImpersonated },
  });
}
