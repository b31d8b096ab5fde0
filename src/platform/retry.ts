import { ExponentialBackoff, handleWhen, retry as retryPolicy } from "cockatiel";
import type { Abortable } from "./abort.ts";

export interface RetryOptions extends Abortable {
  /** Runs in all, the first included. */
  readonly attemptsMax: number;
  /** Delay before the second run; later ones grow with decorrelated jitter. */
  readonly baseMs: number;
  readonly maxMs: number;
  readonly isRetryable: (error: unknown) => boolean;
}

/** Runs `run` until it succeeds, fails for good or has been tried `attemptsMax` times; rejects with the last error. */
export async function retry<T>(
  run: (options: Abortable & { readonly attempt: number }) => Promise<T>,
  { attemptsMax, baseMs, maxMs, isRetryable, signal }: RetryOptions,
): Promise<T> {
  signal.throwIfAborted();
  const policy = retryPolicy(
    handleWhen((error) => !signal.aborted && isRetryable(error)),
    {
      maxAttempts: attemptsMax - 1,
      backoff: new ExponentialBackoff({ initialDelay: baseMs, maxDelay: maxMs }),
    },
  );
  return policy.execute(({ attempt }) => run({ signal, attempt: attempt + 1 }), signal);
}
