import { setTimeout as sleep } from "node:timers/promises";
import type { Abortable } from "./abort.ts";
import type { Log } from "./log.ts";

export interface ServiceOptions {
  /** Delay before the first restart; doubled each time, with jitter. 500 ms. */
  readonly restartDelayMs?: number;
  /** The longest delay. A run that lasted longer than this starts again with the shortest. 30 s. */
  readonly restartDelayMsMax?: number;
  /** How long `stop` waits for this task. 10 s. */
  readonly stopMsMax?: number;
}

export interface ServiceState {
  readonly name: string;
  readonly state: "running" | "restarting" | "stopped";
  /** Message of the last failure. */
  readonly lastError?: string;
}

/** Runs the long-lived tasks of the process. One that fails is restarted and never takes the process down. */
export interface Services {
  /** Starts a task. It runs until its signal aborts; ending earlier counts as a failure. Throws for a name in use. */
  add(name: string, run: (options: Abortable) => Promise<void>, options?: ServiceOptions): void;
  /** In the order of start. */
  state(): readonly ServiceState[];
  /** Stops every task, the last started first, each within its own deadline. May be called twice. */
  stop(): Promise<void>;
}

export function createServices({ log }: { readonly log: Log }): Services {
  const running = new Map<string, RunningService>();
  let stopping: Promise<void> | undefined;
  return {
    add(name, run, options = {}): void {
      if (stopping) throw new Error(`Service ${name} was added after the stop.`);
      if (running.has(name)) throw new Error(`There are two services named ${name}.`);
      running.set(name, startService(name, run, options, log));
    },
    state(): readonly ServiceState[] {
      return [...running.values()].map((service) => service.state());
    },
    async stop(): Promise<void> {
      stopping ??= stopAll([...running.values()].toReversed());
      await stopping;
    },
  };
}

interface RunningService {
  state(): ServiceState;
  stop(): Promise<void>;
}

function startService(
  name: string,
  run: (options: Abortable) => Promise<void>,
  options: ServiceOptions,
  log: Log,
): RunningService {
  const { restartDelayMs = 500, restartDelayMsMax = 30_000, stopMsMax = 10_000 } = options;
  const aborter = new AbortController();
  const { signal } = aborter;
  let state: ServiceState["state"] = "running";
  let lastError: string | undefined;

  async function keepRunning(): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      state = "running";
      const startedMs = performance.now();
      const error = await failureOf(run, signal);
      if (signal.aborted) break;
      failures = performance.now() - startedMs > restartDelayMsMax ? 1 : failures + 1;
      const delayMs = backoffMs(failures, restartDelayMs, restartDelayMsMax);
      state = "restarting";
      lastError = error instanceof Error ? error.message : String(error);
      log.error({ err: error, service: name, failures, delayMs }, "service failed; it restarts");
      await sleep(delayMs, undefined, { signal }).catch(() => undefined);
    }
  }

  const done = keepRunning().finally(() => {
    state = "stopped";
  });
  return {
    state: () => ({ name, state, ...(lastError === undefined ? {} : { lastError }) }),
    async stop(): Promise<void> {
      aborter.abort();
      const timer = new AbortController();
      const isLate = await Promise.race([
        done.then(() => false),
        sleep(stopMsMax, true, { signal: timer.signal }).catch(() => false),
      ]);
      timer.abort();
      if (isLate)
        log.warn({ service: name, stopMsMax }, "service did not stop in time; left behind");
    },
  };
}

async function failureOf(
  run: (options: Abortable) => Promise<void>,
  signal: AbortSignal,
): Promise<unknown> {
  try {
    await run({ signal });
    return new Error("It ended although nobody stopped it.");
  } catch (error) {
    return error;
  }
}

/** Half fixed, half random: replicas that failed together do not come back together. */
function backoffMs(failures: number, baseMs: number, maxMs: number): number {
  const fullMs = Math.min(maxMs, baseMs * 2 ** Math.min(failures - 1, 30));
  return Math.round(fullMs / 2 + (Math.random() * fullMs) / 2);
}

async function stopAll(services: readonly RunningService[]): Promise<void> {
  for (const service of services) await service.stop();
}
