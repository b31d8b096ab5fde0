import type { Resource } from "@infragpt/connector-kit";
import { withTenant, type Database } from "#database";
import { assertCan, noSuchThing } from "#identity";
import { isUuid, type Abortable, type Clock, type Principal } from "#platform";
import { findAnyIntegration, listIntegrations } from "./connected/store.ts";
import type { Integration, IntegrationStatus } from "./model.ts";
import { checkHealth, type HealthDeps } from "./upkeep/check-health.ts";
import { listResources } from "./upkeep/store.ts";
import type { ResourceSync } from "./upkeep/sync-resources.ts";

/** A health that was asked for so lately is told as it is. */
const FRESH_MS = 30_000;
/** Somebody waits for the answer. */
const ASK_MS_MAX = 5_000;

export interface ReadDeps extends HealthDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly resourceSync: ResourceSync;
}

/** The integrations of the principal's organization. */
export async function listOwn(
  deps: ReadDeps,
  principal: Principal,
  filter: {
    readonly connectorId?: string | undefined;
    readonly status?: IntegrationStatus | undefined;
  },
): Promise<readonly Integration[]> {
  assertCan(principal, "integration:read");
  const { organizationId } = principal;
  return withTenant(deps.db, organizationId, (tx) => listIntegrations(tx, organizationId, filter));
}

/** One integration, also an ended one. Its health is asked for now unless that was done a moment ago. */
export async function getIntegration(
  deps: ReadDeps,
  principal: Principal,
  integrationId: string,
  options: Abortable,
): Promise<Integration> {
  assertCan(principal, "integration:read");
  const found = await find(deps, principal, integrationId);
  const checkedAt = found.health.checkedAt?.getTime() ?? 0;
  const isFresh = deps.clock.now().getTime() - checkedAt < FRESH_MS;
  const isLive = found.status === "active" || found.status === "suspended";
  if (!isLive || isFresh) return found;
  const inTime = AbortSignal.any([options.signal, AbortSignal.timeout(ASK_MS_MAX)]);
  await checkHealth(deps, found, { signal: inTime });
  return find(deps, principal, integrationId);
}

/** Lists the resources again, soon; of an account without resources, asks how it is. */
export async function syncIntegration(
  deps: ReadDeps,
  principal: Principal,
  integrationId: string,
  options: Abortable,
): Promise<void> {
  assertCan(principal, "integration:connect");
  const found = await find(deps, principal, integrationId);
  if (found.status === "deleted") throw noSuchThing();
  const { organizationId } = found;
  await withTenant(deps.db, organizationId, (tx) => deps.resourceSync.enqueue(tx, found));
  deps.resourceSync.wake();
  await checkHealth(deps, found, options);
}

/** What an account shares, a page at a time by id. Throws not_found for another organization's integration. */
export async function listOwnResources(
  deps: Pick<ReadDeps, "db">,
  organizationId: string,
  integrationId: string,
  page: { readonly after: string; readonly limit: number },
): Promise<readonly Resource[]> {
  return withTenant(deps.db, organizationId, async (tx) => {
    if (!(await findAnyIntegration(tx, organizationId, integrationId))) throw noSuchThing();
    return listResources(tx, organizationId, integrationId, page);
  });
}

async function find(
  deps: Pick<ReadDeps, "db">,
  { organizationId }: Principal,
  integrationId: string,
): Promise<Integration> {
  if (!isUuid(integrationId)) throw noSuchThing();
  const found = await withTenant(deps.db, organizationId, (tx) =>
    findAnyIntegration(tx, organizationId, integrationId),
  );
  if (!found) throw noSuchThing();
  return found;
}
