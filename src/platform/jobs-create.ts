import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { PgBoss } from "pg-boss";
import { AppError } from "./errors.ts";
import { Listener } from "./jobs-listener.ts";
import { QueueRunner } from "./jobs-runner.ts";
import { countStates, listDeadJobs, replayJobs } from "./jobs-states.ts";
import {
  DEAD_QUEUE,
  expireSecondsOf,
  FINISHED_SECONDS,
  insertJobs,
  LEASE_SECONDS,
  letTenantsEnqueue,
  policyOf,
  renewLeases,
  RETENTION_SECONDS,
  surveyQueues,
} from "./jobs-store.ts";
import type { DeadJob, Jobs, Queue, QueueOptions, QueueState, SqlExecutor } from "./jobs.ts";
import type { Log } from "./log.ts";

/** `connection` of an open database (#database). */
export interface JobsConnection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly ssl?: boolean | { readonly rejectUnauthorized: boolean };
}

export interface JobsOptions {
  readonly connection: JobsConnection;
  readonly log: Log;
  /**
   * Runs our own statements. A pool that names its statements saves planning them each time, which
   * is most of what a look for jobs costs; pg-boss's own pool does not.
   */
  readonly db?: SqlExecutor;
  /** How often all queues are looked at for jobs that nobody announced; 1 unless a test says otherwise. */
  readonly pollSeconds?: number;
}

const CHANNEL = "infragpt_jobs";
const POOL_SIZE = 5;
// Three tries fit into a lease.
const RENEW_INTERVAL_MS = (LEASE_SECONDS * 1000) / 3;
const HELP_INTERVAL_MS = 100;

/** Durable jobs in PostgreSQL, kept by pg-boss and run by us. Define every queue, then start. */
export function createJobs(options: JobsOptions): Jobs {
  return new PgBossJobs(options);
}

class PgBossJobs implements Jobs {
  readonly #options: JobsOptions;
  readonly #boss: PgBoss;
  readonly #listener: Listener;
  /** Tells this replica's own notifications from others'. */
  readonly #replicaId = randomUUID();
  readonly #queues: QueueOptions<object>[] = [];
  readonly #runners = new Map<string, QueueRunner>();
  readonly #stopping = new AbortController();
  #chores: Promise<unknown> = Promise.resolve();
  #lastHelpAt = 0;

  constructor(options: JobsOptions) {
    const { connection, log } = options;
    this.#options = options;
    this.#boss = new PgBoss({
      ...connection,
      application_name: "infragpt-jobs",
      max: POOL_SIZE,
      connectionTimeoutMillis: 5_000,
      // We take over lost jobs, schedule and keep statistics ourselves; it keeps the tables tidy.
      schedule: false,
      maintenanceIntervalSeconds: 300,
      flowIntervalSeconds: 3_600,
      monitorVacuum: false,
      registerInstance: false,
      persistWarnings: false,
    });
    this.#boss.on("error", (error) => log.warn({ err: error }, "the job store reports an error"));
    this.#boss.on("warning", ({ message }) => log.warn({ reason: message }, "the job store warns"));
    this.#listener = new Listener({
      connection,
      channel: CHANNEL,
      log,
      onMessage: (payload) => this.#onNotification(payload),
    });
  }

  define<Data extends object>(options: QueueOptions<Data>): Queue<Data> {
    if (this.#queues.some(({ name }) => name === options.name)) {
      throw new AppError("internal", `The queue ${options.name} is defined twice.`);
    }
    // Only `enqueue` below puts data into this queue, and it takes Data.
    this.#queues.push(options);
    return {
      enqueue: async (tx, jobs) => {
        if (jobs.length > 0) await insertJobs(tx, options, jobs);
      },
      revive: async (tx, ids) => (await replayJobs(tx, ids)).map(({ id }) => id),
      wake: () => this.#runners.get(options.name)?.wake(),
    };
  }

  async start(): Promise<void> {
    await this.#boss.start();
    await letTenantsEnqueue(this.#db);
    await this.#boss.createQueue(DEAD_QUEUE);
    for (const queue of this.#queues) await this.#createQueue(queue);
    for (const queue of this.#queues) {
      const runner = new QueueRunner({
        queue,
        db: this.#db,
        log: this.#options.log,
        askForHelp: () => this.#askForHelp(queue.name),
      });
      this.#runners.set(queue.name, runner);
      runner.start();
    }
    this.#listener.start();
    this.#chores = Promise.all([
      this.#repeat((this.#options.pollSeconds ?? 1) * 1000, () => this.#survey()),
      this.#repeat(RENEW_INTERVAL_MS, () => this.#renewLeases()),
    ]);
  }

  async stop({ graceMs }: { readonly graceMs: number }): Promise<void> {
    await Promise.all([...this.#runners.values()].map((runner) => runner.stop(graceMs)));
    this.#stopping.abort();
    await this.#chores;
    await this.#listener.stop();
    // What was given back runs elsewhere at once.
    await this.#notify("").catch(() => undefined);
    await this.#boss.stop({ graceful: false, close: true });
  }

  async states(): Promise<readonly QueueState[]> {
    return countStates(
      this.#db,
      this.#queues.map(({ name }) => name),
    );
  }

  async listDead(): Promise<readonly DeadJob[]> {
    return listDeadJobs(this.#db);
  }

  async replay(id: string): Promise<boolean> {
    const [job] = await replayJobs(this.#db, [id]);
    if (job === undefined) return false;
    this.#runners.get(job.queue)?.wake();
    await this.#notify(job.queue);
    return true;
  }

  get #db(): SqlExecutor {
    return this.#options.db ?? this.#boss.getDb();
  }

  async #createQueue(queue: QueueOptions<object>): Promise<void> {
    const policy = policyOf(queue);
    await this.#boss.createQueue(queue.name, {
      policy,
      retryLimit: queue.retriesMax,
      expireInSeconds: expireSecondsOf(queue),
      heartbeatSeconds: LEASE_SECONDS,
      retentionSeconds: RETENTION_SECONDS,
      deleteAfterSeconds: FINISHED_SECONDS,
    });
    const created = await this.#boss.getQueue(queue.name);
    if (created?.policy === policy) return;
    throw new AppError(
      "internal",
      `The queue ${queue.name} exists with the policy ${created?.policy ?? "none"}, not ${policy}: give the queue another name.`,
    );
  }

  async #survey(): Promise<void> {
    const needs = await surveyQueues(this.#db, [...this.#runners.keys()]);
    for (const { name, isDue, lost } of needs) {
      if (lost > 0)
        this.#options.log.warn({ queue: name, lost }, "jobs of a silent replica are freed");
      if (isDue) this.#runners.get(name)?.wake();
    }
  }

  async #renewLeases(): Promise<void> {
    const runners = [...this.#runners.values()];
    const claims = runners.flatMap((runner) => runner.claims.map((claim) => ({ runner, claim })));
    if (claims.length === 0) return;
    const held = await renewLeases(
      this.#db,
      claims.map(({ claim }) => claim),
    );
    for (const { runner, claim } of claims) {
      if (!held.has(claim.id)) runner.lose(claim);
    }
  }

  async #repeat(intervalMs: number, work: () => Promise<void>): Promise<void> {
    const { signal } = this.#stopping;
    let isFailing = false;
    while (!signal.aborted) {
      try {
        await work();
        isFailing = false;
      } catch (error) {
        if (!isFailing) this.#options.log.warn({ err: error }, "the job store cannot be reached");
        isFailing = true;
      }
      await sleep(intervalMs, undefined, { signal }).catch(() => undefined);
    }
  }

  #askForHelp(queue: string): void {
    const now = performance.now();
    if (now - this.#lastHelpAt < HELP_INTERVAL_MS) return;
    this.#lastHelpAt = now;
    // Only a hint: where it is lost, the others look within a second.
    void this.#notify(queue).catch(() => undefined);
  }

  async #notify(queue: string): Promise<void> {
    await this.#db.executeSql("select pg_notify($1, $2)", [CHANNEL, `${queue}:${this.#replicaId}`]);
  }

  #onNotification(payload: string): void {
    const [queue = "", replicaId] = payload.split(":");
    if (replicaId === this.#replicaId) return;
    if (queue !== "") this.#runners.get(queue)?.wake();
    else for (const runner of this.#runners.values()) runner.wake();
  }
}
