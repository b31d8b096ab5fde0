import { setTimeout as sleep } from "node:timers/promises";
import type { Database, DatabaseTransaction } from "./database.ts";

const ATTEMPTS_MAX = 4;
// serialization_failure and deadlock_detected: PostgreSQL asks for the transaction to be run again.
const RUN_AGAIN = new Set(["40001", "40P01"]);

/**
 * Runs `work` in one transaction that serves one organization. `work` may run up to four times:
 * after a deadlock or a serialization failure it is started over, so it does nothing outside.
 */
export async function withTenant<Result>(
  db: Database,
  // Row-level security will set it in the same round trip as `begin`.
  _organizationId: string,
  work: (tx: DatabaseTransaction) => Promise<Result>,
): Promise<Result> {
  return runTransaction(db, work);
}

/**
 * Runs `work` in one transaction that may see every organization. `reason` says in plain words why
 * ("store a delivery before its account is known"). `work` may run up to four times.
 */
export async function withSystem<Result>(
  db: Database,
  _reason: string,
  work: (tx: DatabaseTransaction) => Promise<Result>,
): Promise<Result> {
  return runTransaction(db, work);
}

async function runTransaction<Result>(
  db: Database,
  work: (tx: DatabaseTransaction) => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction().execute(work);
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
