import { setTimeout as sleep } from "node:timers/promises";
import type { Abortable } from "#platform";
import { checkDueHealth, type HealthDeps } from "./check-health.ts";
import type { Refresher } from "./refresh-credentials.ts";

/** How often a replica looks whether something is due. */
const LOOK_EVERY_MS = 20_000;

/** Keeps connections well until aborted: refreshes what ends soon, probes what is due. */
export async function watchConnections(
  deps: HealthDeps & { readonly refresher: Refresher },
  options: Abortable,
): Promise<void> {
  const { signal } = options;
  while (!signal.aborted) {
    await deps.refresher.refreshDue(options);
    await checkDueHealth(deps, options);
    await sleep(LOOK_EVERY_MS * (0.8 + Math.random() * 0.4), undefined, { signal }).catch(
      () => undefined,
    );
  }
}
