import {
  BrokenCircuitError,
  CircuitState,
  circuitBreaker,
  handleWhen,
  SamplingBreaker,
} from "cockatiel";
import type { Abortable } from "./abort.ts";
import { AppError } from "./errors.ts";

export type BreakerState = "closed" | "open" | "half_open";

export interface BreakerOptions {
  /** Named in the error: "agent default". */
  readonly name: string;
  /** Which errors speak against the dependency; all but aborts by default. */
  readonly isFailure?: (error: unknown) => boolean;
  /** How long it stays open before one probe is let through. 10 s. */
  readonly openMs?: number;
  /** The window failures are counted in. 30 s. */
  readonly windowMs?: number;
  /** Calls in the window below which it never opens. 20. */
  readonly callsMin?: number;
  /** Share of failed calls at which it opens. 0.5. */
  readonly failureRatioMax?: number;
}

/** Stops calling a dependency that fails, so that callers fail fast and it can recover. */
export interface Breaker {
  readonly name: string;
  readonly state: BreakerState;
  /** Throws AppError("unavailable") without calling when open. */
  run<T>(call: (options: Abortable) => Promise<T>, options: Abortable): Promise<T>;
}

const STATE = {
  [CircuitState.Closed]: "closed",
  [CircuitState.Open]: "open",
  [CircuitState.HalfOpen]: "half_open",
  [CircuitState.Isolated]: "open",
} as const satisfies Record<CircuitState, BreakerState>;

export function createBreaker(options: BreakerOptions): Breaker {
  const { name, isFailure = () => true, openMs = 10_000, windowMs = 30_000 } = options;
  const policy = circuitBreaker(handleWhen(isFailure), {
    halfOpenAfter: openMs,
    breaker: new SamplingBreaker({ threshold: 0.5, duration: windowMs, minimumRps: 20 / 30 }),
  });
  return {
    name,
    get state(): BreakerState {
      return STATE[policy.state];
    },
    async run<T>(call: (options: Abortable) => Promise<T>, { signal }: Abortable): Promise<T> {
      try {
        return await policy.execute(() => call({ signal }), signal);
      } catch (error) {
        if (!(error instanceof BrokenCircuitError)) throw error;
        throw new AppError("unavailable", `${name} fails at the moment. Try again shortly.`, {
          cause: error,
        });
      }
    },
  };
}
