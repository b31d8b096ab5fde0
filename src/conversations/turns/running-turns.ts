import { setTimeout as sleep } from "node:timers/promises";
import { withTenant, type Database } from "#database";
import type { Clock, Log } from "#platform";
import type { TurnJob } from "./answer-message.ts";
import { endTurn, findTurn } from "./store.ts";
import type { TurnEvents } from "./turn-events.ts";

/** How soon a turn notices that it was cancelled through another replica. */
const LOOK_MS = 2_000;

interface RunningDeps {
  readonly db: Database;
  readonly events: TurnEvents;
  readonly clock: Clock;
  readonly log: Log;
}

/** The turns that run in this replica, and the way to stop one wherever it runs. */
export interface RunningTurns {
  /** Watches a turn until it is disposed of. Its signal aborts with the job's, or when the turn is cancelled. */
  begin(job: TurnJob, signal: AbortSignal): RunningTurn;
  /** Ends a turn that waits or runs; the agent's call is cancelled. False when it had ended. */
  cancel(job: TurnJob): Promise<boolean>;
}

interface RunningTurn extends Disposable {
  readonly signal: AbortSignal;
  readonly isCancelled: boolean;
}

export function createRunningTurns(deps: RunningDeps): RunningTurns {
  const here = new Map<string, AbortController>();

  async function watch(
    { organizationId, turnId }: TurnJob,
    controller: AbortController,
    ended: AbortSignal,
  ): Promise<void> {
    while (!ended.aborted) {
      const isOver = await sleep(LOOK_MS, false, { signal: ended, ref: false }).catch(() => true);
      if (isOver) return;
      try {
        const turn = await withTenant(deps.db, organizationId, (tx) =>
          findTurn(tx, organizationId, turnId),
        );
        if (turn?.state === "cancelled")
          return controller.abort(new Error("The turn was cancelled."));
      } catch (error) {
        deps.log.warn({ err: error, turnId }, "could not look whether a turn was cancelled");
      }
    }
  }

  return {
    begin(job, signal) {
      const cancelled = new AbortController();
      const ended = new AbortController();
      here.set(job.turnId, cancelled);
      void watch(job, cancelled, ended.signal);
      return {
        signal: AbortSignal.any([signal, cancelled.signal]),
        get isCancelled() {
          return cancelled.signal.aborted;
        },
        [Symbol.dispose]() {
          ended.abort();
          here.delete(job.turnId);
          deps.events.forget(job.turnId);
        },
      };
    },

    async cancel({ organizationId, turnId }) {
      const isEnded = await withTenant(deps.db, organizationId, (tx) =>
        endTurn(tx, organizationId, turnId, { state: "cancelled" }, deps.clock.now()),
      );
      here.get(turnId)?.abort(new Error("The turn was cancelled."));
      if (isEnded) deps.events.publish(turnId, { kind: "cancelled" });
      return isEnded;
    },
  };
}
