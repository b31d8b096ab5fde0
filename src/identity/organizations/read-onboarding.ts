import { withTenant } from "#database";
import type { Principal } from "#platform";
import { assertCan, noSuchThing } from "../can.ts";
import type { IdentityDeps } from "../deps.ts";
import type { Organization } from "./model.ts";
import { findMilestones, findOrganization, markMilestone } from "./store.ts";

const MILESTONES = ["first_connection", "first_answer"] as const;

/**
 * Where the organization stands in the guided flow. Its first connection and its first answer are seen
 * from what is there, and remembered: a connection that was taken away again was still the first.
 */
export async function readOnboarding(
  deps: IdentityDeps,
  principal: Principal,
): Promise<Organization> {
  assertCan(principal, "organization:read");
  const { organizationId } = principal;
  return withTenant(deps.db, organizationId, async (tx) => {
    const known = await findOrganization(tx, organizationId);
    if (!known) throw noSuchThing();
    if (known.firstConnectionAt && known.firstAnswerAt) return known;
    const reached = await findMilestones(tx, organizationId);
    for (const milestone of MILESTONES) {
      if (reached[milestone]) {
        await markMilestone(tx, organizationId, milestone, deps.clock.now());
      }
    }
    return (await findOrganization(tx, organizationId)) ?? known;
  });
}
