import type { Log } from "./log.ts";
import { type Job, type QueueOptions, RetryLater } from "./jobs.ts";
import type { Claim } from "./jobs-store.ts";

/** What one run came to. */
export type Outcome =
  | { readonly kind: "completed" }
  | {
      readonly kind: "delayed";
      readonly delayMs: number;
      readonly countsAttempt: boolean;
      readonly error: string;
    }
  | { readonly kind: "dead"; readonly error: string };

export interface FetchedJob extends Claim {
  readonly key: string;
  readonly data: object;
  /** The error of the run before, if there was one. */
  readonly lastError: string;
}

interface RunOptions {
  // Data is checked where the queue is defined; the runner serves queues of every type.
  readonly queue: QueueOptions<object>;
  readonly log: Log;
  /** Aborts when this replica stops or lost the job: the run then counts for nothing. */
  readonly signal: AbortSignal;
  /** Called when the handler has returned, which may be after the outcome: it ignored its signal. */
  onReturn(): void;
}

// A handler that ignores its signal for this long loses the job, though not its slot.
const ABORT_GRACE_MS = 5_000;
// After that many attempts to announce a death the job is parked anyway, so that its key moves on.
const DEATHS_MAX = 5;
const JITTER = 0.2;

/** Runs one job once. Never throws: every end is an outcome. */
export async function runJob(fetched: FetchedJob, options: RunOptions): Promise<Outcome> {
  const { queue, log, signal } = options;
  const job: Job<object> = {
    id: fetched.id,
    key: fetched.key,
    data: fetched.data,
    attempt: fetched.retryCount + 1,
    isLastAttempt: fetched.retryCount >= queue.retriesMax,
  };
  const fields = { queue: queue.name, jobId: job.id, attempt: job.attempt };
  if (fetched.retryCount > queue.retriesMax) {
    // The last run ended with its replica, so nobody announced the death.
    options.onReturn();
    const error = new Error(fetched.lastError || "The replica that ran this job ended.");
    return announceDeath(job, error, options);
  }
  try {
    await withinTime(queue.runSecondsMax * 1000, signal, async (runSignal) => {
      try {
        await queue.handle(job, { signal: runSignal });
      } finally {
        options.onReturn();
      }
    });
    return { kind: "completed" };
  } catch (error) {
    if (signal.aborted) return delayed(0, false, "");
    if (error instanceof RetryLater) {
      log.debug({ ...fields, delayMs: error.delayMs, err: error }, "job waits to be run again");
      return delayed(error.delayMs, false, messageOf(error));
    }
    if (job.isLastAttempt) return announceDeath(job, error, options);
    const delayMs = backoffMs(queue, job.attempt);
    log.warn({ ...fields, delayMs, err: error }, "job failed and will be run again");
    return delayed(delayMs, true, messageOf(error));
  }
}

async function announceDeath(
  job: Job<object>,
  error: unknown,
  { queue, log, signal }: RunOptions,
): Promise<Outcome> {
  const fields = { queue: queue.name, jobId: job.id, attempt: job.attempt };
  try {
    await queue.onDead?.(job, error);
  } catch (failure) {
    if (signal.aborted) return delayed(0, false, "");
    if (job.attempt <= queue.retriesMax + DEATHS_MAX) {
      log.error({ ...fields, err: failure }, "a dead job could not be announced, trying again");
      return delayed(backoffMs(queue, 1), true, messageOf(error));
    }
    log.error({ ...fields, err: failure }, "a dead job is parked though nobody was told");
  }
  log.error({ ...fields, err: error }, "job failed for the last time and is parked");
  return { kind: "dead", error: messageOf(error) };
}

/** Resolves or rejects as `work` does, or rejects soon after the time is up. */
async function withinTime(
  timeMs: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const timeout = new AbortController();
  const { promise: overdue, reject } = Promise.withResolvers<never>();
  let grace: NodeJS.Timeout | undefined;
  const timer = setTimeout(() => {
    const error = new Error(`The job ran longer than ${timeMs / 1000} s.`);
    timeout.abort(error);
    grace = setTimeout(reject, ABORT_GRACE_MS, error);
  }, timeMs);
  try {
    await Promise.race([work(AbortSignal.any([signal, timeout.signal])), overdue]);
  } finally {
    clearTimeout(timer);
    clearTimeout(grace);
  }
}

function delayed(delayMs: number, countsAttempt: boolean, error: string): Outcome {
  return { kind: "delayed", delayMs, countsAttempt, error };
}

function backoffMs(queue: QueueOptions<object>, attempt: number): number {
  const seconds = Math.min(
    queue.retryDelaySecondsMax,
    queue.retryDelaySeconds * 2 ** (attempt - 1),
  );
  return seconds * 1000 * (1 - JITTER + Math.random() * 2 * JITTER);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
