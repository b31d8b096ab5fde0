import type { Connector } from "@infragpt/connector-kit";
import type { Audit, AuditActor } from "#audit";
import { withTenant, type Database } from "#database";
import { assertCan, noSuchThing } from "#identity";
import { isUuid, type Clock, type Log, type Principal } from "#platform";
import { endIntegration, findAnyIntegration, listIntegrations } from "./connected/store.ts";
import { deleteCredentials } from "./store.ts";
import { moveToRevocation } from "./upkeep/store.ts";
import type { Revocations } from "./upkeep/revoke-at-vendor.ts";

export interface RevokeDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: Pick<Audit, "append">;
  readonly connectors: ReadonlyMap<string, Connector>;
  readonly revocations: Revocations;
}

/**
 * Ends an integration: from the commit on nothing here can use its credentials, and the grant is
 * taken back at the vendor by a job that goes on until it succeeds. Doing it twice is no error.
 */
export async function revoke(
  deps: RevokeDeps,
  principal: Principal,
  integrationId: string,
  requestId?: string,
): Promise<void> {
  const { organizationId } = principal;
  if (!isUuid(integrationId)) throw noSuchThing();
  assertCan(principal, "integration:revoke", { organizationId });
  const actor = { kind: principal.kind, id: principal.id };
  await end(deps, organizationId, integrationId, { actor, reason: "revoked", requestId });
}

/** What follows when an organization is gone. May run twice. */
export async function revokeAll(deps: RevokeDeps, organizationId: string): Promise<void> {
  const live = await withTenant(deps.db, organizationId, (tx) =>
    listIntegrations(tx, organizationId, {}),
  );
  const actor = { kind: "system", id: "integrations" } as const;
  for (const { id } of live) {
    await end(deps, organizationId, id, { actor, reason: "the organization was deleted" });
  }
}

async function end(
  deps: RevokeDeps,
  organizationId: string,
  id: string,
  by: {
    readonly actor: AuditActor;
    readonly reason: string;
    readonly requestId?: string | undefined;
  },
): Promise<void> {
  const at = deps.clock.now();
  await withTenant(deps.db, organizationId, async (tx) => {
    const integration = await findAnyIntegration(tx, organizationId, id);
    if (!integration) throw noSuchThing();
    if (!(await endIntegration(tx, organizationId, id, { reason: by.reason, at }))) return;
    const connector = deps.connectors.get(integration.connectorId);
    if (connector?.revoke) {
      const credentialCount = await moveToRevocation(tx, organizationId, id, at);
      await deps.revocations.enqueue(tx, integration, credentialCount);
    } else await deleteCredentials(tx, organizationId, id, []);
    await deps.audit.append(tx, {
      organizationId,
      actor: by.actor,
      action: "integration.revoked",
      target: { kind: "integration", id },
      outcome: "ok",
      details: { connector: integration.connectorId, reason: by.reason },
      requestId: by.requestId,
    });
  });
  deps.revocations.wake();
  deps.log.info({ organizationId, integrationId: id }, "integration revoked");
}
