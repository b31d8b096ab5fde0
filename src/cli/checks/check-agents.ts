import { setTimeout as sleep } from "node:timers/promises";
import { createAgents } from "#agents";
import type { Config } from "#config";
import { systemClock, type Abortable, type Log } from "#platform";
import { failed, ok, warning, type Finding } from "./finding.ts";

const PROBE_MS_MAX = 5000;
const LOOK_EVERY_MS = 50;

/** Whether each agent of the configuration answers a health probe. */
export async function checkAgents(
  { agents }: Config,
  { signal, log }: Abortable & { readonly log: Log },
): Promise<readonly Finding[]> {
  if (agents.length === 0)
    return [ok("agents", "the built-in agent, which comes with the service")];
  const registry = createAgents({ configs: agents, log, clock: systemClock });
  const enough = new AbortController();
  const watching = registry.watch({ signal: AbortSignal.any([signal, enough.signal]) });
  const giveUpAt = performance.now() + PROBE_MS_MAX;
  try {
    while (registry.states().some(({ health }) => health === "unknown")) {
      if (performance.now() > giveUpAt) break;
      await sleep(LOOK_EVERY_MS, undefined, { signal });
    }
    return registry.states().map(({ name, endpoint, health, detail }) => {
      const label = `agent ${name}`;
      if (health === "healthy") return ok(label, endpoint);
      const reason = `does not answer at ${endpoint}${detail === undefined ? "" : `: ${detail}`}`;
      return health === "unknown" ? warning(label, reason) : failed(label, reason);
    });
  } finally {
    enough.abort();
    await watching.catch(() => undefined);
    registry.close();
  }
}
