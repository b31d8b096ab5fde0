import { AppError, type Principal } from "#platform";
import { withTenant } from "#database";
import { assertCan } from "../can.ts";
import type { IdentityDeps } from "../deps.ts";
import { ADMIN_ROLE, type Permission } from "../model.ts";
import { listRoleMappings, replaceRoleMappings, type RoleMapping } from "./store.ts";

export async function getRoleMappings(
  deps: IdentityDeps,
  principal: Principal,
): Promise<readonly RoleMapping[]> {
  assertCan(principal, "member:manage");
  const { organizationId } = principal;
  return withTenant(deps.db, organizationId, (tx) => listRoleMappings(tx, organizationId));
}

/** Says what custom roles may do, and what members may do beyond the usual. Admins may do everything anyway. */
export async function setRoleMappings(
  deps: IdentityDeps,
  principal: Principal,
  mappings: readonly { readonly role: string; readonly permissions: readonly Permission[] }[],
): Promise<readonly RoleMapping[]> {
  assertCan(principal, "member:manage");
  const roles = mappings.map(({ role }) => role);
  if (roles.includes(ADMIN_ROLE)) {
    throw new AppError("invalid_request", `The role ${ADMIN_ROLE} has every permission already.`);
  }
  if (new Set(roles).size < roles.length) {
    throw new AppError(
      "invalid_request",
      "A role is mapped twice: give it once, with all it may do.",
    );
  }
  const { organizationId } = principal;
  return withTenant(deps.db, organizationId, async (tx) => {
    const rows = mappings.map((mapping) => ({ ...mapping, id: deps.ids() }));
    await replaceRoleMappings(tx, organizationId, rows, deps.clock.now());
    await deps.audit.append(tx, {
      organizationId,
      actor: { kind: principal.kind, id: principal.id },
      action: "role.mapped",
      target: { kind: "organization", id: organizationId },
      outcome: "ok",
      details: {
        mappings: mappings.map(({ role, permissions }) => ({
          role,
          permissions: [...permissions],
        })),
      },
    });
    return listRoleMappings(tx, organizationId);
  });
}
