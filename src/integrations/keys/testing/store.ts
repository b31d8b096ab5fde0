import { sql } from "kysely";
import type { DatabaseTransaction } from "#database";

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
