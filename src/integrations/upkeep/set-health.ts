import type { Audit } from "#audit";
import { sqlExecutor, type DatabaseTransaction } from "#database";
import type { Clock, Events } from "#platform";
import { connectionHealthChanged } from "../events.ts";
import type { KnownHealth } from "../model.ts";
import { lockHealthStatus, updateHealth } from "./store.ts";

export interface SetHealthDeps {
  readonly clock: Clock;
  readonly audit: Pick<Audit, "append">;
  readonly events: Pick<Events, "publish" | "wake">;
}

/**
 * Notes how a connection is, in the caller's transaction; a change is announced and remembered. The
 * caller wakes `connectionHealthChanged` after the commit. Returns whether it changed.
 */
export async function setHealth(
  deps: SetHealthDeps,
  tx: DatabaseTransaction,
  { organizationId, id }: { readonly organizationId: string; readonly id: string },
  health: KnownHealth,
): Promise<boolean> {
  const from = await lockHealthStatus(tx, organizationId, id);
  if (from === undefined) return false;
  const detail = health.status === "healthy" ? undefined : health.detail;
  await updateHealth(tx, organizationId, id, {
    status: health.status,
    detail: detail?.slice(0, 500),
    missing: health.status === "healthy" ? [] : (health.missingPermissions ?? []).slice(0, 50),
    at: deps.clock.now(),
  });
  if (from === health.status) return false;
  await deps.events.publish(sqlExecutor(tx), connectionHealthChanged, {
    organizationId,
    integrationId: id,
    from,
    to: health.status,
  });
  await deps.audit.append(tx, {
    organizationId,
    actor: { kind: "system", id: "integrations" },
    action: "integration.updated",
    target: { kind: "integration", id },
    outcome: "ok",
    details: { health_before: from, health: health.status, detail },
  });
  return true;
}
