import { connectionHealthChanged } from "#integrations";
import type { Events, Jobs } from "#platform";
import { sqlExecutor, withTenant } from "#database";
import { tellOwners, type TellOwnersDeps } from "./tell-owners.ts";

/** Tells owners of changes, one change at a time for each integration. */
export function listenToHealth(
  deps: TellOwnersDeps & { readonly jobs: Jobs; readonly events: Pick<Events, "on"> },
): void {
  const queue = deps.jobs.define<{ organizationId: string; integrationId: string }>({
    name: "tell-owners",
    isOrdered: true,
    concurrencyMax: 4,
    // About an hour: a chat's longer trouble is seen in the console.
    retriesMax: 12,
    retryDelaySeconds: 2,
    retryDelaySecondsMax: 600,
    runSecondsMax: 60,
    handle: (job, options) => tellOwners(deps, job.data, options),
  });
  deps.events.on(connectionHealthChanged, "tell-owners", async (changed) => {
    const { organizationId, integrationId } = changed;
    await withTenant(deps.db, organizationId, (tx) =>
      queue.enqueue(sqlExecutor(tx), [
        { id: deps.ids(), key: integrationId, data: { organizationId, integrationId } },
      ]),
    );
    queue.wake();
  });
}
