import { createHash, randomBytes } from "node:crypto";
import { Secret, type Clock, type Ids, type Principal } from "#platform";
import { withSystem, withTenant, type Database } from "#database";
import { localPrincipal, type Permission } from "./model.ts";
import { findLiveToken, insertToken } from "./store.ts";

const TOKEN = /^igpt_[A-Za-z0-9_-]{43}$/;
const BEARER = /^Bearer ([^\s]{1,4096})$/i;

interface IdentityDeps {
  readonly db: Database;
  readonly ids: Ids;
  readonly clock: Clock;
}

export interface Credentials {
  readonly authorization?: string | undefined;
  /** Address of the caller, with or without its port. */
  readonly peer: string;
}

/** Says who calls by gRPC; undefined when nobody we know. Where it is allowed, a caller from this machine needs no token. */
export async function authenticate(
  deps: IdentityDeps,
  credentials: Credentials,
  options: { readonly isAnonymousLoopbackAllowed: boolean },
): Promise<Principal | undefined> {
  if (credentials.authorization !== undefined)
    return authenticateBearer(deps, credentials.authorization);
  const isLocal = options.isAnonymousLoopbackAllowed && isLoopback(credentials.peer);
  return isLocal ? localPrincipal : undefined;
}

async function authenticateBearer(
  deps: IdentityDeps,
  authorization: string,
): Promise<Principal | undefined> {
  const token = BEARER.exec(authorization)?.[1];
  if (!token || !TOKEN.test(token)) return undefined;
  const found = await withSystem(deps.db, "find the owner of a service token", (tx) =>
    findLiveToken(tx, hashOf(token), deps.clock.now()),
  );
  if (!found) return undefined;
  const { id, organizationId, scopes } = found;
  return { kind: "service", organizationId, id, permissions: new Set(scopes) };
}

/** Makes a token for a program. It is shown once: only its hash is kept. */
export async function createServiceToken(
  deps: IdentityDeps,
  organizationId: string,
  input: {
    readonly name: string;
    readonly scopes: readonly Permission[];
    readonly expiresAt?: Date | undefined;
  },
): Promise<{ readonly id: string; readonly token: Secret }> {
  const token = `igpt_${randomBytes(32).toString("base64url")}`;
  const id = deps.ids();
  await withTenant(deps.db, organizationId, (tx) =>
    insertToken(tx, organizationId, {
      id,
      name: input.name,
      hash: hashOf(token),
      scopes: input.scopes,
      expiresAt: input.expiresAt,
      at: deps.clock.now(),
    }),
  );
  return { id, token: new Secret(token) };
}

// 256 random bits need no slow hash: there is nothing to guess.
function hashOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

function isLoopback(peer: string): boolean {
  return /^(127\.\d{1,3}\.\d{1,3}\.\d{1,3}(:\d+)?|\[?::1\]?(:\d+)?|\[?::ffff:127\.\d{1,3}\.\d{1,3}\.\d{1,3}\]?(:\d+)?)$/.test(
    peer,
  );
}
