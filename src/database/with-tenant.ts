import { setTimeout as sleep } from "node:timers/promises";
import type { Database, DatabaseTransaction } from "./database.ts";
import { openingWith } from "./opening-driver.ts";
import { tenantSettings, tenantsOfDatabase } from "./tenants.ts";

type Work<Result> = (tx: DatabaseTransaction) => Promise<Result>;

const ATTEMPTS_MAX = 4;
// serialization_failure and deadlock_detected: PostgreSQL asks for the transaction to be run again.
const RUN_AGAIN = new Set(["40001", "40P01"]);

/**
 * Runs `work` in one transaction that sees and writes one organization's rows and no others: as the
 * role infragpt_app, which owns nothing, under row-level security. The only way to a tenant table
 * in the name of a principal. `work` may run up to four times: after a deadlock or a serialization
 * failure it is started over, so it does nothing outside.
 *
 * SQL inside can say `reset role` and see everything: the wall stops a forgotten filter, not
 * statements that somebody else wrote. So no text from outside ever becomes SQL here.
 */
export async function withTenant<Result>(
  db: Database,
  organizationId: string,
  work: Work<Result>,
): Promise<Result> {
  const opening = tenantSettings(organizationId);
  const tenants = tenantsOfDatabase(db);
  return runTransaction(
    (run) => openingWith(opening, () => tenants.db.transaction().execute(run)),
    work,
  );
}

/**
 * The same for `work` whose statements do not wait for each other: it makes them all before it awaits
 * the first, as with Promise.all. It costs one round trip, because `begin`, the statements and `commit`
 * go out together. A statement that comes later is an error.
 */
export async function queryTenant<Result>(
  db: Database,
  organizationId: string,
  work: Work<Result>,
): Promise<Result> {
  const { together } = tenantsOfDatabase(db);
  return runTransaction(
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a batch gives each work its own result.
    (run) => together(organizationId, run) as Promise<Result>,
    work,
  );
}

/** `withSystem` for exactly one statement, which is its own transaction. */
export async function querySystem<Result>(
  db: Database,
  _reason: string,
  work: (db: Database) => Promise<Result>,
): Promise<Result> {
  return work(db);
}

/**
 * Runs `work` in one transaction that sees every organization, as the user that owns the tables.
 * For what happens before an organization is known and for the service's own upkeep; `reason` says
 * in plain words why ("store a delivery before its account is known"). `work` may run up to four times.
 */
export async function withSystem<Result>(
  db: Database,
  _reason: string,
  work: Work<Result>,
): Promise<Result> {
  return runTransaction((run) => db.transaction().execute(run), work);
}

async function runTransaction<Result>(
  execute: (work: Work<Result>) => Promise<Result>,
  work: Work<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await execute(work);
    } catch (error) {
      if (attempt >= ATTEMPTS_MAX || !RUN_AGAIN.has(sqlStateOf(error))) throw error;
      // Two transactions that met once should not start over in step.
      await sleep(Math.random() * 10 * attempt);
    }
  }
}

/** PostgreSQL's five-letter code of an error, or "". */
export function sqlStateOf(error: unknown): string {
  if (typeof error !== "object" || error === null || !("code" in error)) return "";
  return typeof error.code === "string" ? error.code : "";
}
