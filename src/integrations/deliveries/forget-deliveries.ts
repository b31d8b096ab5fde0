import { setTimeout as sleep } from "node:timers/promises";
import { withSystem, type Database } from "#database";
import type { Abortable, Clock, Log } from "#platform";
import { deleteOldDeliveries } from "./store.ts";

/** Longer than any vendor goes on delivering again, so that no repetition is taken for news. */
const KEPT_DAYS = 30;
const LOOK_EVERY_MS = 3_600_000;
/** A statement that holds few rows and ends soon. */
const BATCH_ROWS = 2_000;

interface ForgetDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
}

/** Deletes what was delivered a month ago, until aborted. Several replicas may do so at once. */
export async function forgetDeliveries(deps: ForgetDeps, { signal }: Abortable): Promise<void> {
  while (!signal.aborted) {
    const count = await forgetOnce(deps, { signal });
    if (count > 0) deps.log.info({ count }, "old deliveries forgotten");
    const pauseMs = LOOK_EVERY_MS * (0.8 + Math.random() * 0.4);
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}

async function forgetOnce({ db, clock }: ForgetDeps, { signal }: Abortable): Promise<number> {
  const before = new Date(clock.now().getTime() - KEPT_DAYS * 86_400_000);
  let count = 0;
  while (!signal.aborted) {
    const deleted = await withSystem(db, "forget old deliveries", (tx) =>
      deleteOldDeliveries(tx, { before, limit: BATCH_ROWS }),
    );
    count += deleted;
    if (deleted < BATCH_ROWS) break;
  }
  return count;
}
