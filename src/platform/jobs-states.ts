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

/** Returns the queue it went back to, or undefined when there is no such dead job. */
export async function replayJob(db: SqlExecutor, id: string): Promise<string | undefined> {
  const { rows } = await db.executeSql(
    `update pgboss.job
     set name = source_name, source_name = null, state = 'created', retry_count = 0,
       started_on = null, completed_on = null, output = null, start_after = now(),
       keep_until = now() + $3::int * interval '1 second', deletion_seconds = $4
     where name = $2 and id = $1 and source_name is not null
     returning name`,
    [id, DEAD_QUEUE, RETENTION_SECONDS, FINISHED_SECONDS],
  );
  return rows[0]?.name;
}
