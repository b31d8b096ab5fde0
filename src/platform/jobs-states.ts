import { DEAD_QUEUE, FINISHED_SECONDS, RETENTION_SECONDS } from "./jobs-store.ts";
import type { DeadJob, QueueState, SqlExecutor } from "./jobs.ts";

const DEAD_LISTED_MAX = 500;

export async function countStates(
  db: SqlExecutor,
  queues: readonly string[],
): Promise<readonly QueueState[]> {
  const { rows } = await db.executeSql(
    `with live as (
       select name, count(*) filter (where state <> 'active')::int as waiting,
         count(*) filter (where state = 'active')::int as running
       from pgboss.job
       where name = any($1::text[]) and state in ('created', 'retry', 'active', 'failed')
       group by name
     ), dead as (
       select source_name as name, count(*)::int as dead
       from pgboss.job where name = $2 and completed_on is not null
       group by source_name
     )
     select q.name, coalesce(waiting, 0) as waiting, coalesce(running, 0) as running,
       coalesce(dead, 0) as dead
     from unnest($1::text[]) as q (name) left join live using (name) left join dead using (name)
     order by q.name`,
    [queues, DEAD_QUEUE],
  );
  return rows.map(({ name, waiting, running, dead }) => ({ name, waiting, running, dead }));
}

export async function listDeadJobs(db: SqlExecutor): Promise<readonly DeadJob[]> {
  const { rows } = await db.executeSql(
    `select id, source_name, coalesce(singleton_key, '') as key, data, completed_on,
       coalesce(output ->> 'message', '') as error
     from pgboss.job
     where name = $1 and completed_on is not null
     order by completed_on desc
     limit ${DEAD_LISTED_MAX}`,
    [DEAD_QUEUE],
  );
  return rows.map((row) => ({
    id: row.id,
    queue: row.source_name,
    key: row.key,
    data: row.data,
    failedAt: row.completed_on,
    error: row.error,
  }));
}

export interface ReplayedJob {
  readonly id: string;
  /** Where it went back to. */
  readonly queue: string;
}

/** Puts dead jobs back; ids of none are passed over. */
export async function replayJobs(
  db: SqlExecutor,
  ids: readonly string[],
): Promise<readonly ReplayedJob[]> {
  const { rows } = await db.executeSql(
    `update pgboss.job
     set name = source_name, source_name = null, state = 'created', retry_count = 0,
       started_on = null, completed_on = null, output = null, start_after = now(),
       keep_until = now() + $3::int * interval '1 second', deletion_seconds = $4
     where name = $2 and id = any($1::uuid[]) and source_name is not null
     returning id, name as queue`,
    [ids, DEAD_QUEUE, RETENTION_SECONDS, FINISHED_SECONDS],
  );
  return rows;
}
