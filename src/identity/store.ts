import type { Database, DatabaseTransaction } from "#database";

type Reader = Database | DatabaseTransaction;

export interface ServiceToken {
  readonly id: string;
  readonly organizationId: string;
  readonly name: string;
  readonly scopes: readonly string[];
}

/** The token of a hash, if it may be used now. Bearers are found before their organization is known. */
export async function findLiveToken(
  db: Reader,
  hash: Buffer,
  at: Date,
): Promise<ServiceToken | undefined> {
  const row = await db
    .selectFrom("service_tokens")
    .select(["id", "organization_id", "name", "scopes"])
    .where("token_hash", "=", hash)
    .where("revoked_at", "is", null)
    .where((where) => where.or([where("expires_at", "is", null), where("expires_at", ">", at)]))
    .executeTakeFirst();
  return (
    row && { id: row.id, organizationId: row.organization_id, name: row.name, scopes: row.scopes }
  );
}

export async function insertToken(
  tx: DatabaseTransaction,
  organizationId: string,
  input: {
    id: string;
    name: string;
    hash: Buffer;
    scopes: readonly string[];
    expiresAt: Date | undefined;
    at: Date;
  },
): Promise<void> {
  await tx
    .insertInto("service_tokens")
    .values({
      id: input.id,
      organization_id: organizationId,
      name: input.name,
      token_hash: input.hash,
      scopes: [...input.scopes],
      created_at: input.at,
      expires_at: input.expiresAt ?? null,
    })
    .execute();
}
