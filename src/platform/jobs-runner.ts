import { setTimeout as sleep } from "node:timers/promises";
import type { QueueOptions, SqlExecutor } from "./jobs.ts";
import { fetchJobs } from "./jobs-fetch.ts";
import { type FetchedJob, type Outcome, runJob } from "./jobs-run.ts";
import { type Claim, completeJobs, type Delay, delayJobs, parkJob } from "./jobs-store.ts";
import type { Log } from "./log.ts";

export interface RunnerOptions {
  readonly queue: QueueOptions<object>;
  readonly db: SqlExecutor;
  readonly log: Log;
  /** Called when more may wait than this replica has slots for. */
  askForHelp(): void;
}

interface Run {
  readonly job: FetchedJob;
  readonly abort: AbortController;
  readonly ended: Promise<void>;
}

interface Settlement {
  readonly job: FetchedJob;
  readonly outcome: Outcome;
}

const OUTAGE_DELAY_MS_MAX = 5_000;
const WAKE_TIMERS_MAX = 100;
const ABORT_WAIT_MS = 1_000;
// A longer delay may as well be found late by the survey.
const DELAY_TIMED_MS_MAX = 60_000;

/**
 * Runs the jobs of one queue: as many at once as there are slots, each settled on its own, so that
 * a job that hangs holds its slot and its key and nothing else. Settling and fetching take turns in
 * one loop: what ends while a statement is under way goes into the next one, so a busy queue works
 * in batches and an idle one at once.
 */
export class QueueRunner {
  readonly #options: RunnerOptions;
  /** Jobs held, by id. */
  readonly #runs = new Map<string, Run>();
  readonly #wakeTimers = new Set<NodeJS.Timeout>();
  #settlements: Settlement[] = [];
  /** Handlers that have not returned, held or not. */
  #busySlots = 0;
  #mayHaveWork = true;
  #afterKey = "";
  #isDraining = false;
  #hasEnded = false;
  #bell = Promise.withResolvers<void>();
  readonly #end = Promise.withResolvers<void>();
  #loop: Promise<void> = Promise.resolve();

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.queue.name;
  }

  get claims(): readonly Claim[] {
    return [...this.#runs.values()].map(({ job }) => job);
  }

  start(): void {
    this.#loop = this.#work();
  }

  /** Looks for jobs now. */
  wake(): void {
    this.#mayHaveWork = true;
    this.#ring();
  }

  /** Another replica has this job: what it does here counts no more. */
  lose(claim: Claim): void {
    const run = this.#runs.get(claim.id);
    if (run?.job !== claim) return;
    const fields = { queue: this.name, jobId: claim.id };
    this.#options.log.warn(fields, "another replica took a job over");
    this.#runs.delete(claim.id);
    run.abort.abort(new Error("Another replica took the job over."));
  }

  async stop(graceMs: number): Promise<void> {
    this.#isDraining = true;
    const deadlineAt = performance.now() + graceMs;
    await this.#waitForRuns(deadlineAt);
    for (const { abort } of this.#runs.values()) abort.abort(new Error("The service stops."));
    await this.#waitForRuns(performance.now() + ABORT_WAIT_MS);
    // What still hangs is given back; its end, if it comes, is ignored.
    for (const { job } of this.#runs.values()) {
      this.#settle(job, { kind: "delayed", delayMs: 0, countsAttempt: false, error: "" });
    }
    this.#hasEnded = true;
    this.#end.resolve();
    this.#ring();
    await this.#loop;
    for (const timer of this.#wakeTimers) clearTimeout(timer);
  }

  async #waitForRuns(deadlineAt: number): Promise<void> {
    const timeout = new AbortController();
    const overdue = sleep(Math.max(0, deadlineAt - performance.now()), undefined, {
      signal: timeout.signal,
    }).catch(() => undefined);
    await Promise.race([Promise.all([...this.#runs.values()].map(({ ended }) => ended)), overdue]);
    timeout.abort();
  }

  async #work(): Promise<void> {
    let outageDelayMs = 0;
    while (!this.#hasEnded || this.#settlements.length > 0) {
      try {
        if (this.#settlements.length > 0) await this.#settleAll();
        else if (this.#canFetch()) await this.#fetch();
        else await this.#waitForBell();
        outageDelayMs = 0;
      } catch (error) {
        // Unsettled jobs are lost to their leases at worst, and run again.
        if (this.#hasEnded) return;
        if (outageDelayMs === 0) {
          this.#options.log.warn({ queue: this.name, err: error }, "jobs wait for the database");
        }
        outageDelayMs = Math.min(outageDelayMs * 2 || 100, OUTAGE_DELAY_MS_MAX);
        await Promise.race([sleep(outageDelayMs), this.#end.promise]);
      }
    }
  }

  #canFetch(): boolean {
    if (!this.#mayHaveWork || this.#isDraining) return false;
    const hasSlot = this.#busySlots < this.#options.queue.concurrencyMax;
    if (!hasSlot) this.#options.askForHelp();
    return hasSlot;
  }

  async #fetch(): Promise<void> {
    const { db, queue } = this.#options;
    const countMax = queue.concurrencyMax - this.#busySlots;
    this.#mayHaveWork = false;
    try {
      const found = await fetchJobs(db, { queue, countMax, afterKey: this.#afterKey });
      this.#afterKey = found.afterKey;
      if (found.mayBeMore) this.#mayHaveWork = true;
      for (const job of found.jobs) this.#begin(job);
    } catch (error) {
      this.#mayHaveWork = true;
      // Another replica took a job of the same key between our look and our taking it.
      if (!isUniqueViolation(error)) throw error;
    }
  }

  #begin(job: FetchedJob): void {
    const { queue, log } = this.#options;
    const abort = new AbortController();
    const returned = Promise.withResolvers<void>();
    const run = { queue, log, signal: abort.signal, onReturn: returned.resolve };
    const ended = runJob(job, run).then((outcome) => this.#settle(job, outcome));
    this.#busySlots++;
    this.#runs.set(job.id, { job, abort, ended });
    void this.#freeSlot(Promise.all([ended, returned.promise]));
  }

  async #freeSlot(whenDone: Promise<unknown>): Promise<void> {
    await whenDone;
    this.#busySlots--;
    this.#ring();
  }

  #settle(job: FetchedJob, outcome: Outcome): void {
    // Lost to another replica, or given back when the service stopped.
    if (this.#runs.get(job.id)?.job !== job) return;
    this.#runs.delete(job.id);
    this.#settlements.push({ job, outcome });
    this.#ring();
  }

  async #settleAll(): Promise<void> {
    const batch = this.#settlements;
    const { db } = this.#options;
    const completed: Settlement[] = [];
    const delays: (Delay & { readonly settlement: Settlement })[] = [];
    for (const settlement of batch) {
      const { job, outcome } = settlement;
      if (outcome.kind === "completed") completed.push(settlement);
      else if (outcome.kind === "delayed") {
        delays.push({ ...outcome, id: job.id, retryCount: job.retryCount, settlement });
      } else {
        await parkJob(db, this.name, { ...job, error: outcome.error });
        this.#mayHaveWork = true;
        this.#forget([settlement]);
      }
    }
    if (completed.length > 0) {
      const claims = completed.map(({ job }) => job);
      // Looking only where something waits halves the looks of a quiet service, its dearest statement.
      if (await completeJobs(db, this.name, claims)) this.#mayHaveWork = true;
      this.#forget(completed);
    }
    if (delays.length > 0) {
      await delayJobs(db, this.name, delays);
      this.#forget(delays.map(({ settlement }) => settlement));
      for (const { delayMs } of delays) this.#wakeAfter(delayMs);
    }
  }

  #forget(settled: readonly Settlement[]): void {
    const gone = new Set(settled);
    this.#settlements = this.#settlements.filter((settlement) => !gone.has(settlement));
  }

  /** Punctual for the next hundred delays; beyond that the survey of all queues finds them. */
  #wakeAfter(delayMs: number): void {
    if (
      this.#isDraining ||
      this.#wakeTimers.size >= WAKE_TIMERS_MAX ||
      delayMs > DELAY_TIMED_MS_MAX
    ) {
      return;
    }
    const timer = setTimeout(() => {
      this.#wakeTimers.delete(timer);
      this.wake();
    }, delayMs + 1);
    this.#wakeTimers.add(timer);
  }

  #ring(): void {
    this.#bell.resolve();
  }

  async #waitForBell(): Promise<void> {
    await this.#bell.promise;
    this.#bell = Promise.withResolvers();
  }
}

function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "23505";
}
