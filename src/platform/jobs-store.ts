import { AppError } from "./errors.ts";
import type { NewJob, QueueOptions, SqlExecutor } from "./jobs.ts";

/** Where dead jobs are kept: out of their queue, so that they block no key and are cheap to list. */
export const DEAD_QUEUE = "dead-jobs";

// Long enough for a queue that nobody emptied over a holiday: pg-boss drops a job after 14 days.
export const RETENTION_SECONDS = 90 * 86_400;
// How long a finished job is remembered, and with it the id that makes enqueuing it again a no-op.
export const FINISHED_SECONDS = 3_600;
export const LEASE_SECONDS = 10;
const ERROR_LENGTH_MAX = 2_000;

/** A job that this replica holds. `retryCount` names the attempt: a later one is another's. */
export interface Claim {
  readonly id: string;
  readonly retryCount: number;
}

export interface Delay extends Claim {
  readonly delayMs: number;
  /** False: the next run has the number of this one. */
  readonly countsAttempt: boolean;
  readonly error: string;
}

export interface Death extends Claim {
  readonly error: string;
}

// pg-boss owns the table and its changes; its version is pinned and these statements are tested
// against it. They are ours because its own calls cannot delay without counting an attempt, settle
// many outcomes at once or park a job outside its queue, and plan every statement anew.

/**
 * Jobs are enqueued in tenant transactions, whose role may add jobs and neither see nor change any.
 * A grant on the partitioned table covers its partitions, also later ones. Replicas that start
 * together take turns: two grants at once on one table fail.
 */
export async function letTenantsEnqueue(db: SqlExecutor): Promise<void> {
  await db.executeSql(
    `do $$ begin
       if to_regrole('infragpt_app') is null then return; end if;
       perform pg_advisory_xact_lock(hashtext('infragpt/let-tenants-enqueue'));
       if has_schema_privilege('infragpt_app', 'pgboss', 'usage')
         and has_table_privilege('infragpt_app', 'pgboss.job', 'insert')
       then return; end if;
       grant usage on schema pgboss to infragpt_app;
       grant insert on pgboss.job to infragpt_app;
     end $$`,
  );
}

export async function insertJobs<Data extends object>(
  tx: SqlExecutor,
  queue: QueueOptions<Data>,
  jobs: readonly NewJob<Data>[],
): Promise<void> {
  const rows = jobs.map((job) => ({
    id: job.id,
    key: keyOf(queue, job),
    data: job.data,
    start_after: job.startAfter?.toISOString(),
    created_on: timeOf(job.id).toISOString(),
  }));
  await tx.executeSql(
    `insert into pgboss.job (
       id, name, data, start_after, created_on, singleton_key, policy, retry_limit, retry_delay,
       expire_seconds, heartbeat_seconds, deletion_seconds, keep_until
     )
     select j.id, $1, j.data, coalesce(j.start_after, now()), j.created_on, j.key, $3, $4, $5,
       $6, $7, $8, coalesce(j.start_after, now()) + $9::int * interval '1 second'
     from json_to_recordset($2::json)
       as j (id uuid, key text, data jsonb, start_after timestamptz, created_on timestamptz)
     on conflict do nothing`,
    [
      queue.name,
      JSON.stringify(rows),
      policyOf(queue),
      queue.retriesMax,
      Math.ceil(queue.retryDelaySeconds),
      expireSecondsOf(queue),
      LEASE_SECONDS,
      FINISHED_SECONDS,
      RETENTION_SECONDS,
    ],
  );
}

export function policyOf(queue: { readonly isOrdered: boolean }): "key_strict_fifo" | "standard" {
  return queue.isOrdered ? "key_strict_fifo" : "standard";
}

/** The runner aborts a long run itself; pg-boss only steps in where the runner is stuck. */
export function expireSecondsOf(queue: { readonly runSecondsMax: number }): number {
  return Math.ceil(queue.runSecondsMax) + 60;
}

/** Marks runs as done. Says whether a job of one of their keys waits: it is free now. */
export async function completeJobs(
  db: SqlExecutor,
  queue: string,
  claims: readonly Claim[],
): Promise<boolean> {
  const { rows } = await db.executeSql(
    `with done as (
       update pgboss.job j
       set state = 'completed', completed_on = now()
       from unnest($2::uuid[], $3::int[]) as c (id, retry_count)
       where j.name = $1 and j.id = c.id and j.retry_count = c.retry_count and j.state = 'active'
       returning j.singleton_key
     )
     select exists (
       select from done join pgboss.job w on w.singleton_key = done.singleton_key
       where w.name = $1 and w.state < 'active' and w.policy = 'key_strict_fifo' and not w.blocked
     ) as has_next`,
    [queue, claims.map(({ id }) => id), claims.map(({ retryCount }) => retryCount)],
  );
  return rows[0]?.has_next === true;
}

/** Puts jobs back to run later. They go on blocking their key. */
export async function delayJobs(
  db: SqlExecutor,
  queue: string,
  delays: readonly Delay[],
): Promise<readonly string[]> {
  const rows = delays.map((delay) => ({
    id: delay.id,
    retry_count: delay.retryCount,
    delay_ms: delay.delayMs,
    counts: delay.countsAttempt,
    error: bounded(delay.error),
  }));
  const result = await db.executeSql(
    // Without started_on the next fetch does not count an attempt.
    `update pgboss.job j
     set state = 'retry', start_after = now() + d.delay_ms * interval '1 millisecond',
       started_on = case when d.counts then j.started_on end, heartbeat_on = null,
       output = case when d.error = '' then j.output else jsonb_build_object('message', d.error) end
     from json_to_recordset($2::json)
       as d (id uuid, retry_count int, delay_ms float8, counts boolean, error text)
     where j.name = $1 and j.id = d.id and j.retry_count = d.retry_count and j.state = 'active'
     returning j.id`,
    [queue, JSON.stringify(rows)],
  );
  return idsOf(result.rows);
}

/** Parks a job among the dead, which lets the next job of its key run. */
export async function parkJob(
  db: SqlExecutor,
  queue: string,
  death: Death,
): Promise<readonly string[]> {
  const { rows } = await db.executeSql(
    `update pgboss.job
     set name = $3, source_name = $1, state = 'cancelled', completed_on = now(),
       deletion_seconds = $4, output = jsonb_build_object('message', $5::text)
     where name = $1 and id = $2 and retry_count = $6 and state = 'active'
     returning id`,
    [queue, death.id, DEAD_QUEUE, RETENTION_SECONDS, bounded(death.error), death.retryCount],
  );
  return idsOf(rows);
}

/** Says that these runs are alive. Returns the ids still held: the others were taken over. */
export async function renewLeases(
  db: SqlExecutor,
  claims: readonly Claim[],
): Promise<ReadonlySet<string>> {
  const { rows } = await db.executeSql(
    `update pgboss.job j
     set heartbeat_on = now()
     from unnest($1::uuid[], $2::int[]) as c (id, retry_count)
     where j.id = c.id and j.retry_count = c.retry_count and j.state = 'active'
     returning j.id`,
    [claims.map(({ id }) => id), claims.map(({ retryCount }) => retryCount)],
  );
  return new Set(idsOf(rows));
}

export interface QueueNeed {
  readonly name: string;
  readonly isDue: boolean;
  /** Runs whose replica fell silent. */
  readonly lost: number;
}

/**
 * One look at all queues: gives back the jobs of replicas that fell silent and those that pg-boss
 * itself gave up (so that `onDead` runs for them), and says where something waits to be run.
 */
export async function surveyQueues(
  db: SqlExecutor,
  queues: readonly string[],
): Promise<readonly QueueNeed[]> {
  const { rows } = await db.executeSql(
    `with stuck as (
       select name, id, state from pgboss.job
       where name = any($1::text[]) and (
         state = 'failed'
         or (state = 'active' and heartbeat_on < now() - $2::int * interval '1 second')
       )
       for update skip locked
     ), freed as (
       update pgboss.job j
       set state = 'retry', start_after = now(), heartbeat_on = null, completed_on = null
       from stuck s
       where j.name = s.name and j.id = s.id
       returning j.name
     )
     select q.name,
       (select count(*)::int from stuck where stuck.name = q.name and stuck.state = 'active') as lost,
       exists (select from freed where freed.name = q.name) or exists (
         select from pgboss.job j
         where j.name = q.name and j.state < 'active' and not j.blocked and j.start_after <= now()
       ) as is_due
     from unnest($1::text[]) as q (name)`,
    [queues, LEASE_SECONDS],
  );
  return rows.map((row) => ({ name: row.name, isDue: row.is_due, lost: row.lost }));
}

function keyOf<Data extends object>(
  queue: QueueOptions<Data>,
  job: NewJob<Data>,
): string | undefined {
  if (!queue.isOrdered) return undefined;
  if (job.key !== undefined && job.key !== "") return job.key;
  throw new AppError("internal", `A job of the ordered queue ${queue.name} needs a key.`);
}

/** The time in a UUIDv7. Jobs are ordered by it and then by the rest of the id. */
function timeOf(id: string): Date {
  if (id[14] !== "7") throw new AppError("internal", `The job id ${id} is not a UUIDv7.`);
  return new Date(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16));
}

function bounded(error: string): string {
  // PostgreSQL's text holds neither the character zero nor half a surrogate pair.
  return error.slice(0, ERROR_LENGTH_MAX).toWellFormed().replaceAll("\u0000", "");
}

function idsOf(rows: readonly { readonly id: string }[]): readonly string[] {
  return rows.map(({ id }) => id);
}
