import type { Principal } from "#platform";
import { withTenant } from "#database";
import { assertCan } from "../can.ts";
import type { IdentityDeps } from "../deps.ts";
import { updateEmailMatch } from "./store.ts";

/** Says whether chat users are matched to members by verified e-mail. */
export async function allowEmailMatch(
  deps: IdentityDeps,
  principal: Principal,
  isAllowed: boolean,
): Promise<void> {
  assertCan(principal, "member:manage");
  const { organizationId } = principal;
  await withTenant(deps.db, organizationId, async (tx) => {
    await updateEmailMatch(tx, organizationId, isAllowed);
    await deps.audit.append(tx, {
      organizationId,
      actor: { kind: principal.kind, id: principal.id },
      action: "configuration.changed",
      target: { kind: "organization", id: organizationId },
      outcome: "ok",
      details: { allows_email_match: isAllowed },
    });
  });
}
