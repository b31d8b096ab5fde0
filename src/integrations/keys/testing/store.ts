import { CompiledQuery, sql } from "kysely";
import type { Database, DatabaseTransaction } from "#database";
import type { SealedRecord } from "#platform";

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

/** First versions of one credential of many integrations. */
export async function insertCredentials(
  tx: DatabaseTransaction,
  organizationId: string,
  credentialType: string,
  records: readonly (SealedRecord & { readonly integrationId: string })[],
): Promise<void> {
  await sql`
    insert into integration_credentials
      (id, organization_id, integration_id, credential_type, version, kek_id, wrapped_dek, ciphertext)
    select gen_random_uuid(), ${organizationId}, n.integration_id, ${credentialType}, 1,
      n.kek_id, n.wrapped_dek, n.ciphertext
    from unnest(
      ${records.map(({ integrationId }) => integrationId)}::uuid[],
      ${records.map(({ kekId }) => kekId)}::text[],
      ${records.map(({ wrappedDek }) => Buffer.from(wrappedDek))}::bytea[],
      ${records.map(({ ciphertext }) => Buffer.from(ciphertext))}::bytea[]
    ) as n (integration_id, kek_id, wrapped_dek, ciphertext)`.execute(tx);
}
