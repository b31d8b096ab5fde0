import { CompiledQuery, sql } from "kysely";
import type { Database, DatabaseTransaction } from "#database";

/** Integrations of accounts that are named like the integrations themselves. */
export async function insertAccounts(
  tx: DatabaseTransaction,
  organizationId: string,
  ids: readonly string[],
): Promise<void> {
  await sql`
    insert into integrations (id, organization_id, connector_type, connector_organization_id)
    select id, ${organizationId}, 'slack', id::text from unnest(${[...ids]}::uuid[]) as id`.execute(
    tx,
  );
}

/** One statement with values, as an operator or an intruder would run it. */
export async function query<Row = unknown>(
  db: Database,
  text: string,
  ...values: readonly unknown[]
): Promise<readonly Row[]> {
  const { rows } = await db.executeQuery<Row>(CompiledQuery.raw(text, [...values]));
  return rows;
}
