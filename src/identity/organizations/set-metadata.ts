import { withTenant } from "#database";
import type { Principal } from "#platform";
import { assertCan, noSuchThing } from "../can.ts";
import type { IdentityDeps } from "../deps.ts";
import type { Organization, OrganizationMetadata } from "./model.ts";
import { findOrganization, updateMetadata } from "./store.ts";

/** The principal's own organization. */
export async function getOrganization(
  deps: IdentityDeps,
  principal: Principal,
): Promise<Organization> {
  assertCan(principal, "organization:read");
  const { organizationId } = principal;
  const found = await withTenant(deps.db, organizationId, (tx) =>
    findOrganization(tx, organizationId),
  );
  if (!found) throw noSuchThing();
  return found;
}

/** What an organization tells of itself. Only the given fields change; with all four it is complete. */
export async function setMetadata(
  deps: IdentityDeps,
  principal: Principal,
  metadata: Partial<OrganizationMetadata>,
): Promise<void> {
  assertCan(principal, "organization:edit");
  const { organizationId } = principal;
  await withTenant(deps.db, organizationId, async (tx) => {
    const before = await findOrganization(tx, organizationId);
    if (!before) throw noSuchThing();
    const after = { ...before.metadata, ...metadata };
    const isComplete = after.companySize !== undefined && after.teamSize !== undefined;
    await updateMetadata(tx, organizationId, metadata, { at: deps.clock.now(), isComplete });
    await deps.audit.append(tx, {
      organizationId,
      actor: { kind: principal.kind, id: principal.id },
      action: "onboarding.updated",
      target: { kind: "organization", id: organizationId },
      outcome: "ok",
      details: {
        company_size: after.companySize,
        team_size: after.teamSize,
        use_cases: [...after.useCases],
        observability_stack: [...after.observabilityStack],
      },
    });
  });
}
