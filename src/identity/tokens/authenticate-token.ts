import type { Refusals } from "#audit";
import { withSystem } from "#database";
import type { Principal } from "#platform";
import type { IdentityDeps } from "../deps.ts";
import { hashOf, isToken } from "../hash-token.ts";
import { TOKEN_SCOPES } from "../model.ts";
import { findTokenByHash, touchToken } from "./store.ts";

export const TOKEN_PREFIX = "igpt_";
const TOUCH_INTERVAL_MS = 60_000;

/** The principal of a service token that may be used now. */
export async function authenticateToken(
  deps: IdentityDeps & { readonly refusals: Refusals },
  token: string,
): Promise<Principal | undefined> {
  if (!isToken(token.slice(TOKEN_PREFIX.length))) return undefined;
  const at = deps.clock.now();
  const found = await withSystem(deps.db, "find the owner of a service token", async (tx) => {
    const known = await findTokenByHash(tx, hashOf(token));
    const isLive =
      known !== undefined && !known.revokedAt && !(known.expiresAt && known.expiresAt <= at);
    if (isLive) {
      const before = new Date(at.getTime() - TOUCH_INTERVAL_MS);
      if (!known.lastUsedAt || known.lastUsedAt < before) {
        await touchToken(tx, known.organizationId, known.id, { at, before });
      }
    }
    return known && { ...known, isLive };
  });
  if (!found?.isLive) {
    await deps.refusals.record({
      action: "token.refused",
      organizationId: found?.organizationId,
      actor: found && { kind: "service", id: found.id },
      details: { reason: whyDead(found) },
    });
    return undefined;
  }
  const { id, organizationId, scopes, name } = found;
  const permissions = TOKEN_SCOPES.filter((scope) => scopes.includes(scope));
  return { kind: "service", organizationId, id, name, permissions: new Set(permissions) };
}

function whyDead(token: { readonly revokedAt: Date | undefined } | undefined): string {
  if (!token) return "unknown";
  return token.revokedAt ? "revoked" : "expired";
}
