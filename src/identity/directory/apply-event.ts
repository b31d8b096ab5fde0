import { sqlExecutor, withSystem, type DatabaseTransaction } from "#database";
import type { DirectoryEvent, DirectoryFact } from "../clerk/read-event.ts";
import type { IdentityDeps } from "../deps.ts";
import { organizationDeleted } from "../events.ts";
import {
  deleteMembership,
  deleteOldDeliveries,
  deleteOrganization,
  deleteUser,
  insertDelivery,
  listOrganizationIdsOfUser,
  markDelivery,
  organizationIdFor,
  upsertMembership,
  upsertOrganization,
  upsertUser,
  userIdFor,
} from "./store.ts";

// The sender gives up after 28 hours; three days are promised, and a month helps to look back.
const DELIVERIES_KEPT_MS = 30 * 24 * 3_600_000;
const DIRECTORY = { kind: "system", id: "directory" } as const;

export type ApplyOutcome = "applied" | "outdated" | "ignored" | "duplicate";

/**
 * Applies one event of the directory once. Events come in any order and lead to the same state: newer
 * facts win, what is deleted stays deleted, and what is only mentioned gets a row that knows its id.
 */
export async function applyDirectoryEvent(
  deps: IdentityDeps,
  deliveryId: string,
  event: DirectoryEvent,
): Promise<ApplyOutcome> {
  const outcome = await withSystem(deps.db, "apply an event of the directory", async (tx) => {
    const at = deps.clock.now();
    const isNew = await insertDelivery(tx, { id: deliveryId, type: event.type, at });
    if (!isNew) return "duplicate";
    await deleteOldDeliveries(tx, new Date(at.getTime() - DELIVERIES_KEPT_MS));
    if (!event.fact) return "ignored";
    const isApplied = await applyFact(deps, tx, event.fact, event.happenedAt);
    const applied = isApplied ? "applied" : "outdated";
    await markDelivery(tx, deliveryId, applied);
    return applied;
  });
  if (event.fact?.kind === "organization") deps.events.wake(organizationDeleted);
  return outcome;
}

async function applyFact(
  deps: IdentityDeps,
  tx: DatabaseTransaction,
  fact: DirectoryFact,
  happenedAt: Date,
): Promise<boolean> {
  if (fact.kind === "membership") return applyMembership(deps, tx, fact, happenedAt);
  if (fact.kind === "user") {
    return fact.news === "deleted"
      ? removeUser(deps, tx, fact.clerkUserId, happenedAt)
      : upsertUser(tx, fact.clerkUserId, fact.news, arrival(deps));
  }
  return fact.news === "deleted"
    ? removeOrganization(deps, tx, fact.clerkOrganizationId, happenedAt)
    : upsertOrganization(tx, fact.clerkOrganizationId, fact.news, arrival(deps));
}

function arrival({ ids, clock }: IdentityDeps): { readonly id: string; readonly at: Date } {
  return { id: ids(), at: clock.now() };
}

async function removeUser(
  deps: IdentityDeps,
  tx: DatabaseTransaction,
  clerkUserId: string,
  deletedAt: Date,
): Promise<boolean> {
  const userId = await deleteUser(tx, clerkUserId, { ...arrival(deps), deletedAt });
  if (userId === undefined) return false;
  // In the order of ids: two such transactions lock the organizations' audit chains alike.
  for (const organizationId of await listOrganizationIdsOfUser(tx, userId)) {
    await deps.audit.append(tx, {
      organizationId,
      actor: DIRECTORY,
      action: "member.removed",
      target: { kind: "user", id: userId },
      outcome: "ok",
      details: { reason: "user_deleted" },
    });
  }
  return true;
}

async function removeOrganization(
  deps: IdentityDeps,
  tx: DatabaseTransaction,
  clerkOrganizationId: string,
  deletedAt: Date,
): Promise<boolean> {
  const organizationId = await deleteOrganization(tx, clerkOrganizationId, {
    ...arrival(deps),
    deletedAt,
  });
  if (organizationId === undefined) return false;
  await deps.audit.append(tx, {
    organizationId,
    actor: DIRECTORY,
    action: "organization.deleted",
    target: { kind: "organization", id: organizationId },
    outcome: "ok",
  });
  await deps.events.publish(sqlExecutor(tx), organizationDeleted, { organizationId });
  return true;
}

const MEMBERSHIP_ACTIONS = {
  added: "member.added",
  changed: "member.role_changed",
  outdated: "member.removed",
} as const;

async function applyMembership(
  deps: IdentityDeps,
  tx: DatabaseTransaction,
  fact: Extract<DirectoryFact, { kind: "membership" }>,
  happenedAt: Date,
): Promise<boolean> {
  const { clerkMembershipId, role, version, createdAt, isDeleted } = fact;
  // The organization first, then the user, always: so no two memberships wait for each other.
  const organizationId = await organizationIdFor(tx, fact.clerkOrganizationId, arrival(deps));
  const userId = await userIdFor(tx, fact.clerkUserId, arrival(deps));
  const news = await upsertMembership(tx, {
    ...arrival(deps),
    clerkMembershipId,
    organizationId,
    userId,
    role,
    version,
    createdAt,
  });
  const isEnded =
    isDeleted && (await deleteMembership(tx, organizationId, clerkMembershipId, happenedAt));
  if (news === "outdated" && !isEnded) return false;
  await deps.audit.append(tx, {
    organizationId,
    actor: DIRECTORY,
    action: isDeleted ? "member.removed" : MEMBERSHIP_ACTIONS[news],
    target: { kind: "user", id: userId },
    outcome: "ok",
    details: { role },
  });
  return true;
}
