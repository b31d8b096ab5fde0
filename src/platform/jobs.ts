// The contract; the implementation on pg-boss is in jobs-create.ts.
import type { Abortable } from "./abort.ts";

/** Runs one statement, inside a transaction where the caller made it from one (`sqlExecutor(tx)` of #database). */
export interface SqlExecutor {
  // The rows are whatever the statement selects; pg-boss has the same type.
  // oxlint-disable-next-line typescript/no-explicit-any
  executeSql(text: string, values?: unknown[]): Promise<{ rows: any[] }>;
}

export interface Job<Data extends object> {
  readonly id: string;
  /** The order key in an ordered queue, otherwise "". */
  readonly key: string;
  readonly data: Data;
  /** 1 for the first run. */
  readonly attempt: number;
  readonly isLastAttempt: boolean;
}

export interface QueueOptions<Data extends object> {
  /** Lower-case, such as "answer-message". */
  readonly name: string;
  /** Jobs of one key run one after the other, in the order of their ids; keys run side by side. */
  readonly isOrdered: boolean;
  /** Jobs running at once in this replica. */
  readonly concurrencyMax: number;
  /** Runs after the first before a job is parked as dead. */
  readonly retriesMax: number;
  readonly retryDelaySeconds: number;
  readonly retryDelaySecondsMax: number;
  /** A run that lasts longer is aborted and counts as failed. */
  readonly runSecondsMax: number;
  /** May run twice for one job. Throw to retry; throw RetryLater to choose when. */
  handle(job: Job<Data>, options: Abortable): Promise<void>;
  /** Called once the last run failed, before the next job of the same key runs. May run twice. */
  onDead?(job: Job<Data>, error: unknown): Promise<void>;
}

export interface NewJob<Data extends object> {
  /** UUIDv7: decides the order within a key. */
  readonly id: string;
  readonly data: Data;
  readonly key?: string;
  readonly startAfter?: Date;
}

export interface Queue<Data extends object> {
  /** Enqueues within the caller's own transaction; the same id twice is one job. */
  enqueue(tx: SqlExecutor, jobs: readonly NewJob<Data>[]): Promise<void>;
  /** Puts dead jobs back into their queue, within the caller's own transaction. Returns the ids of those that were dead. */
  revive(tx: SqlExecutor, ids: readonly string[]): Promise<readonly string[]>;
  /**
   * Wakes this replica's runner at once; call it after the commit. Other replicas are told when this
   * one has no free slot, and look for themselves every second, so a forgotten call costs a second.
   */
  wake(): void;
}

/** Thrown by a handler to be run again after a while without counting as a failed run. */
export class RetryLater extends Error {
  override readonly name = "RetryLater";
  readonly delayMs: number;

  constructor(delayMs: number, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.delayMs = delayMs;
  }
}

export interface QueueState {
  readonly name: string;
  readonly waiting: number;
  readonly running: number;
  readonly dead: number;
}

export interface DeadJob {
  readonly id: string;
  readonly queue: string;
  readonly key: string;
  readonly data: object;
  readonly failedAt: Date;
  /** The last error's message. */
  readonly error: string;
}

export interface Jobs {
  define<Data extends object>(options: QueueOptions<Data>): Queue<Data>;
  /** Creates the queues in the database and begins to run jobs. */
  start(): Promise<void>;
  /** Takes no new job, waits up to `graceMs` for running ones, then aborts and releases them to other replicas. */
  stop(options: { readonly graceMs: number }): Promise<void>;
  states(): Promise<readonly QueueState[]>;
  listDead(): Promise<readonly DeadJob[]>;
  /** Puts a dead job back into its queue. Returns false when there is no such job. */
  replay(id: string): Promise<boolean>;
}
