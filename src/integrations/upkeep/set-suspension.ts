import type { DatabaseTransaction } from "#database";
import { updateStatus } from "../connected/store.ts";
import type { Integration, KnownHealth } from "../model.ts";
import { setHealth, type SetHealthDeps } from "./set-health.ts";

/**
 * Closes or opens a connection whose account did so at the vendor, in the caller's transaction; its
 * credentials stay. The latest change by the vendor's clock counts, in whatever order they are told.
 * Returns false for one that is known or was overtaken.
 */
export async function setSuspension(
  deps: SetHealthDeps,
  tx: DatabaseTransaction,
  integration: Pick<Integration, "organizationId" | "id" | "connectorId">,
  change: {
    readonly isSuspended: boolean;
    readonly reason: string;
    readonly at: Date;
    /** How it is from then on. */
    readonly health: KnownHealth;
  },
): Promise<boolean> {
  const { organizationId, id } = integration;
  const { isSuspended, reason } = change;
  const status = isSuspended ? "suspended" : "active";
  const isChanged = await updateStatus(tx, organizationId, id, {
    status,
    vendorAt: change.at,
    at: deps.clock.now(),
  });
  if (!isChanged) return false;
  await setHealth(deps, tx, integration, change.health);
  await deps.audit.append(tx, {
    organizationId,
    actor: { kind: "system", id: integration.connectorId },
    action: "integration.updated",
    target: { kind: "integration", id },
    outcome: "ok",
    details: { status, reason },
  });
  return true;
}
