import {
  BrokenCircuitError,
  CircuitState,
  circuitBreaker,
  handleWhen,
  type IBreaker,
} from "cockatiel";
import type { Abortable } from "./abort.ts";
import { AppError } from "./errors.ts";

export type BreakerState = "closed" | "open" | "half_open";

export interface BreakerOptions {
  /** Named in the error, such as "Agent default". */
  readonly name: string;
  /** Which errors speak against the dependency; all of them by default. A call its caller aborted never does. */
  readonly isFailure?: (error: unknown) => boolean;
}

/**
 * Stops calling a dependency that fails, so that callers fail fast and it can recover: opens when
 * half of at least 20 calls within 30 s failed, and lets one probe through after 10 s.
 */
export interface Breaker {
  readonly name: string;
  readonly state: BreakerState;
  /** Throws AppError("unavailable") without calling while open, and while another call is the probe. */
  run<T>(call: (options: Abortable) => Promise<T>, options: Abortable): Promise<T>;
}

const FAILED_SHARE = 0.5;
const CALLS_MIN = 20;
const WINDOW_SECONDS = 30;
const OPEN_MS = 10_000;

const STATE = {
  [CircuitState.Closed]: "closed",
  [CircuitState.Open]: "open",
  [CircuitState.HalfOpen]: "half_open",
  [CircuitState.Isolated]: "open",
} as const satisfies Record<CircuitState, BreakerState>;

export function createBreaker({ name, isFailure = () => true }: BreakerOptions): Breaker {
  const policy = circuitBreaker(
    handleWhen((error) =>
      // A probe that its caller gave up on has shown nothing good.
      error instanceof CallerLeft ? policy.state === CircuitState.HalfOpen : isFailure(error),
    ),
    { halfOpenAfter: OPEN_MS, breaker: countingBreaker() },
  );

  function refuse(cause?: unknown): never {
    throw new AppError("unavailable", `${name} keeps failing and is left alone for a while.`, {
      cause,
    });
  }

  return {
    name,
    get state(): BreakerState {
      return STATE[policy.state];
    },
    async run<T>(call: (options: Abortable) => Promise<T>, { signal }: Abortable): Promise<T> {
      signal.throwIfAborted();
      // cockatiel would let the others wait for the probe, which may take minutes, deaf to their signals.
      if (policy.state === CircuitState.HalfOpen) refuse();
      try {
        return await policy.execute(() => callMarked(call, signal));
      } catch (error) {
        if (error instanceof CallerLeft) throw error.cause;
        if (error instanceof BrokenCircuitError) refuse(error);
        throw error;
      }
    },
  };
}

/** Marks an error of a call that was aborted by its caller: it says nothing about the dependency. */
class CallerLeft extends Error {}

async function callMarked<T>(
  call: (options: Abortable) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  try {
    return await call({ signal });
  } catch (error) {
    if (signal.aborted) throw new CallerLeft("aborted", { cause: error });
    throw error;
  }
}

interface Second {
  at: number;
  calls: number;
  failed: number;
}

/**
 * Counts by the second. cockatiel's SamplingBreaker moves its window by one step a call, so that a
 * quiet dependency is judged by failures of an hour ago, and it opens above the share, not at it.
 */
function countingBreaker(): IBreaker {
  let seconds: Second[] = [];

  function count(isFailed: boolean): void {
    const now = Math.floor(Date.now() / 1000);
    seconds = seconds.filter(({ at }) => at > now - WINDOW_SECONDS);
    let current = seconds.at(-1);
    if (current?.at !== now) {
      current = { at: now, calls: 0, failed: 0 };
      seconds.push(current);
    }
    current.calls += 1;
    if (isFailed) current.failed += 1;
  }

  return {
    state: undefined,
    success(state): void {
      if (state === CircuitState.HalfOpen) seconds = [];
      count(false);
    },
    failure(state): boolean {
      count(true);
      if (state === CircuitState.HalfOpen) return true;
      const calls = seconds.reduce((sum, second) => sum + second.calls, 0);
      const failed = seconds.reduce((sum, second) => sum + second.failed, 0);
      return calls >= CALLS_MIN && failed >= calls * FAILED_SHARE;
    },
  };
}
