import { sql } from "kysely";
import type { Database, DatabaseTransaction } from "#database";

type Reader = Database | DatabaseTransaction;

/** Deletes the credentials of an integration but those named, and returns the names of those deleted. */
export async function deleteCredentials(
  tx: DatabaseTransaction,
  organizationId: string,
  integrationId: string,
  kept: readonly string[],
): Promise<readonly string[]> {
  let query = tx
    .deleteFrom("integration_credentials")
    .where("organization_id", "=", organizationId)
    .where("integration_id", "=", integrationId)
    .returning("credential_type");
  if (kept.length > 0) query = query.where("credential_type", "not in", kept);
  return (await query.execute()).map((row) => row.credential_type);
}

export interface SealedCredential {
  readonly credentialType: string;
  readonly version: number;
  readonly format: number;
  readonly kekId: string;
  readonly wrappedDek: Buffer;
  readonly ciphertext: Buffer;
}

export async function listCredentials(
  db: Reader,
  organizationId: string,
  integrationId: string,
): Promise<readonly SealedCredential[]> {
  const rows = await db
    .selectFrom("integration_credentials")
    .select(["credential_type", "version", "format", "kek_id", "wrapped_dek", "ciphertext"])
    .where("organization_id", "=", organizationId)
    .where("integration_id", "=", integrationId)
    .orderBy("credential_type")
    .execute();
  return rows.map((row) => ({
    credentialType: row.credential_type,
    version: row.version,
    format: row.format,
    kekId: row.kek_id,
    wrappedDek: row.wrapped_dek,
    ciphertext: row.ciphertext,
  }));
}

/** The version of each credential of an integration. */
export async function listCredentialVersions(
  db: Reader,
  organizationId: string,
  integrationId: string,
): Promise<ReadonlyMap<string, number>> {
  const rows = await db
    .selectFrom("integration_credentials")
    .select(["credential_type", "version"])
    .where("organization_id", "=", organizationId)
    .where("integration_id", "=", integrationId)
    .execute();
  return new Map(rows.map((row) => [row.credential_type, row.version]));
}

/** Writes a credential as the successor of the version before. Returns false when another write came first. */
export async function writeCredential(
  tx: DatabaseTransaction,
  organizationId: string,
  integrationId: string,
  input: SealedCredential & { id: string; at: Date },
): Promise<boolean> {
  const { rows } = await sql<{ id: string }>`
    insert into integration_credentials
      (id, organization_id, integration_id, credential_type, version, format, kek_id, wrapped_dek, ciphertext, created_at)
    values (${input.id}, ${organizationId}, ${integrationId}, ${input.credentialType}, ${input.version},
      ${input.format}, ${input.kekId}, ${input.wrappedDek}, ${input.ciphertext}, ${input.at})
    on conflict (integration_id, credential_type) do update set
      version = excluded.version, format = excluded.format, kek_id = excluded.kek_id,
      wrapped_dek = excluded.wrapped_dek, ciphertext = excluded.ciphertext, rotated_at = excluded.created_at
    where integration_credentials.organization_id = excluded.organization_id
      and integration_credentials.version = excluded.version - 1
    returning id`.execute(tx);
  return rows.length === 1;
}

export async function hasCredentials(db: Reader): Promise<boolean> {
  const row = await db
    .selectFrom("integration_credentials")
    .select("id")
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
