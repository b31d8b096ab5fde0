import { isUuid, type Principal } from "#platform";
import { withTenant } from "#database";
import { assertCan, noSuchThing } from "../can.ts";
import type { TokenDeps } from "../deps.ts";
import { revokeToken as markRevoked } from "./store.ts";

/** Ends a token at once. A second time changes nothing. */
export async function revokeToken(
  deps: TokenDeps,
  principal: Principal,
  id: string,
): Promise<void> {
  assertCan(principal, "token:manage");
  if (!isUuid(id)) throw noSuchThing();
  const { organizationId } = principal;
  await withTenant(deps.db, organizationId, async (tx) => {
    const outcome = await markRevoked(tx, organizationId, id, deps.clock.now());
    if (!outcome) throw noSuchThing();
    if (outcome === "already") return;
    await deps.audit.append(tx, {
      organizationId,
      actor: { kind: principal.kind, id: principal.id },
      action: "token.revoked",
      target: { kind: "token", id },
      outcome: "ok",
    });
  });
}
