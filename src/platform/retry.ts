import { setTimeout as sleep } from "node:timers/promises";
import type { Abortable } from "./abort.ts";

export interface RetryOptions extends Abortable {
  /** Runs in all, the first included. */
  readonly attemptsMax: number;
  /** The shortest delay between two runs. */
  readonly baseMs: number;
  /** The longest. */
  readonly maxMs: number;
  readonly isRetryable: (error: unknown) => boolean;
}

/**
 * Runs `run` until it succeeds, fails for good or was tried `attemptsMax` times; rejects with the
 * last error. An abort ends the wait at once and rejects with the signal's reason. cockatiel's own
 * retry sits out its delay and then calls once more.
 */
export async function retry<T>(
  run: (options: Abortable & { readonly attempt: number }) => Promise<T>,
  { attemptsMax, baseMs, maxMs, isRetryable, signal }: RetryOptions,
): Promise<T> {
  let delayMs = baseMs;
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      return await run({ signal, attempt });
    } catch (error) {
      if (attempt >= attemptsMax || signal.aborted || !isRetryable(error)) throw error;
    }
    // Decorrelated jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ (2015-03).
    delayMs = Math.min(maxMs, baseMs + Math.random() * (delayMs * 3 - baseMs));
    await pause(delayMs, signal);
  }
}

async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(delayMs, undefined, { signal });
  } catch {
    signal.throwIfAborted();
  }
}
