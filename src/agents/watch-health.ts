import { setTimeout as sleep } from "node:timers/promises";
import type { Abortable, Clock, Log } from "#platform";
import type { Member } from "./registry.ts";

interface Deps {
  readonly log: Log;
  readonly clock: Clock;
  readonly probeEveryMs: number;
}

const PROBE_TIMEOUT_MS = 3000;

/** Probes every agent now and every `probeEveryMs` until the signal aborts. */
export async function watchHealth(
  deps: Deps,
  members: readonly Member[],
  { signal }: Abortable,
): Promise<void> {
  while (!signal.aborted) {
    await Promise.all(members.map((member) => probe(deps, member, { signal })));
    try {
      await sleep(deps.probeEveryMs, undefined, { signal });
    } catch {
      // Only the signal ends the sleep early.
      return;
    }
  }
}

async function probe({ clock, log }: Deps, member: Member, { signal }: Abortable): Promise<void> {
  const deadline = new Date(clock.now().getTime() + PROBE_TIMEOUT_MS);
  try {
    setProblem(log, member, await member.agent.findProblem({ signal, deadline }));
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Remembers what is known about an agent, and logs only changes. */
export function setProblem(log: Log, member: Member, problem: string | undefined): void {
  const health = problem === undefined ? "healthy" : "unreachable";
  member.detail = problem;
  if (member.health === health) return;
  const { name, endpoint } = member.agent.config;
  member.health = health;
  if (problem === undefined) log.info({ agent: name, endpoint }, "agent is reachable");
  else log.warn({ agent: name, endpoint, problem }, "agent is unreachable");
}
