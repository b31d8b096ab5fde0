import { platform } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { readDisks } from "./linux-disks.ts";
import { readListeners } from "./linux-listeners.ts";
import { readLoad, readMemory } from "./linux-load.ts";
import { readProcesses } from "./linux-processes.ts";
import type { Machine, MachineReader, Reading } from "./model.ts";
import { createPortableReader } from "./portable.ts";

const LINUX: MachineReader = {
  readLoad,
  readMemory,
  readDisks: () => readDisks(),
  readListeners: () => readListeners(),
  readProcesses: (sampleMs) => readProcesses(sampleMs),
};

export interface ReadOptions {
  readonly signal: AbortSignal;
  /** How long CPU use is watched. */
  readonly sampleMs?: number;
  /** A reading that takes longer is reported as unavailable. */
  readonly timeoutMs?: number;
  readonly reader?: MachineReader;
}

/** All readings of this machine, side by side. Takes about the length of the sample; never throws but for the signal. */
export async function readMachine({
  signal,
  sampleMs = 500,
  timeoutMs = 4000,
  reader,
}: ReadOptions): Promise<Machine> {
  const from = reader ?? (await chooseReader());
  const [load, memory, disks, listeners, processes] = await Promise.all([
    within(from.readLoad(sampleMs), timeoutMs, signal),
    within(from.readMemory(), timeoutMs, signal),
    within(from.readDisks(), timeoutMs, signal),
    within(from.readListeners(), timeoutMs, signal),
    within(from.readProcesses(sampleMs), timeoutMs, signal),
  ]);
  return { load, memory, disks, listeners, processes };
}

async function chooseReader(): Promise<MachineReader> {
  return platform() === "linux" ? LINUX : createPortableReader();
}

async function within<Value>(
  read: Promise<Value>,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Reading<Value>> {
  const done = new AbortController();
  const timer = sleep(timeoutMs, undefined, {
    signal: AbortSignal.any([signal, done.signal]),
  }).then((): Reading<Value> => ({ kind: "unavailable", reason: `took over ${timeoutMs} ms` }));
  try {
    return await Promise.race([read.then((value) => ({ kind: "read" as const, value })), timer]);
  } catch (error) {
    signal.throwIfAborted();
    return { kind: "unavailable", reason: error instanceof Error ? error.message : "it failed" };
  } finally {
    done.abort();
    // Whichever lost the race has nobody to tell.
    await timer.catch(() => undefined);
  }
}
