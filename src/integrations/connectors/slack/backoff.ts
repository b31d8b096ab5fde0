import { setTimeout as sleep } from "node:timers/promises";
import type { SocketTimings } from "./socket-timings.ts";

/** Doubles with each failure in a row, up to a limit, and spreads by half; nothing before the first. */
export function backoffMs(
  failures: number,
  timings: Pick<SocketTimings, "backoffFirstMs" | "backoffMaxMs">,
  random: () => number,
): number {
  if (failures <= 0) return 0;
  const full = Math.min(timings.backoffMaxMs, timings.backoffFirstMs * 2 ** (failures - 1));
  return Math.round(full * (0.5 + random() / 2));
}

/** Waits, or returns early when the signal aborts. */
export async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  if (delayMs <= 0 || signal.aborted) return;
  try {
    await sleep(delayMs, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
