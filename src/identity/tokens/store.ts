import type { DatabaseTransaction } from "#database";

export interface ServiceToken {
  readonly id: string;
  readonly organizationId: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly createdBy: string | undefined;
  readonly createdAt: Date;
  readonly expiresAt: Date | undefined;
  readonly revokedAt: Date | undefined;
  readonly lastUsedAt: Date | undefined;
}

const COLUMNS = [
  "service_tokens.id",
  "service_tokens.organization_id",
  "service_tokens.name",
  "service_tokens.scopes",
  "service_tokens.created_by",
  "service_tokens.created_at",
  "service_tokens.expires_at",
  "service_tokens.revoked_at",
  "service_tokens.last_used_at",
] as const;

/** The token of a hash, dead or alive, of an organization that is there. Bearers are found before their organization is known. */
export async function findTokenByHash(
  tx: DatabaseTransaction,
  hash: Buffer,
): Promise<ServiceToken | undefined> {
  const row = await tx
    .selectFrom("service_tokens")
    .innerJoin("organizations", "organizations.id", "service_tokens.organization_id")
    .select(COLUMNS)
    .where("service_tokens.token_hash", "=", hash)
    .where("organizations.deleted_at", "is", null)
    .executeTakeFirst();
  return row && toToken(row);
}

export async function insertToken(
  tx: DatabaseTransaction,
  organizationId: string,
  input: {
    readonly id: string;
    readonly name: string;
    readonly hash: Buffer;
    readonly scopes: readonly string[];
    readonly createdBy: string | undefined;
    readonly expiresAt: Date | undefined;
    readonly at: Date;
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
      created_by: input.createdBy ?? null,
      created_at: input.at,
      expires_at: input.expiresAt ?? null,
    })
    .execute();
}

/** The newest first. */
export async function listTokens(
  tx: DatabaseTransaction,
  organizationId: string,
  tokensMax: number,
): Promise<readonly ServiceToken[]> {
  const rows = await tx
    .selectFrom("service_tokens")
    .select(COLUMNS)
    .where("organization_id", "=", organizationId)
    .orderBy("created_at", "desc")
    .orderBy("id", "desc")
    .limit(tokensMax)
    .execute();
  return rows.map(toToken);
}

/** Returns undefined where there is no such token, and whether it was live until now. */
export async function revokeToken(
  tx: DatabaseTransaction,
  organizationId: string,
  id: string,
  at: Date,
): Promise<"revoked" | "already" | undefined> {
  const row = await tx
    .updateTable("service_tokens")
    .set({ revoked_at: at })
    .where("organization_id", "=", organizationId)
    .where("id", "=", id)
    .where("revoked_at", "is", null)
    .returning("id")
    .executeTakeFirst();
  if (row) return "revoked";
  const known = await tx
    .selectFrom("service_tokens")
    .select("id")
    .where("organization_id", "=", organizationId)
    .where("id", "=", id)
    .executeTakeFirst();
  return known && "already";
}

/** Notes a use, unless one was noted after `before`: not every request needs a write. */
export async function touchToken(
  tx: DatabaseTransaction,
  organizationId: string,
  id: string,
  { at, before }: { readonly at: Date; readonly before: Date },
): Promise<void> {
  await tx
    .updateTable("service_tokens")
    .set({ last_used_at: at })
    .where("organization_id", "=", organizationId)
    .where("id", "=", id)
    .where((where) =>
      where.or([where("last_used_at", "is", null), where("last_used_at", "<", before)]),
    )
    .execute();
}

function toToken(row: {
  readonly id: string;
  readonly organization_id: string;
  readonly name: string;
  readonly scopes: string[];
  readonly created_by: string | null;
  readonly created_at: Date;
  readonly expires_at: Date | null;
  readonly revoked_at: Date | null;
  readonly last_used_at: Date | null;
}): ServiceToken {
  return {
    id: row.id,
    organizationId: row.organization_id,
    name: row.name,
    scopes: row.scopes,
    createdBy: row.created_by ?? undefined,
    createdAt: row.created_at,
    expiresAt: row.expires_at ?? undefined,
    revokedAt: row.revoked_at ?? undefined,
    lastUsedAt: row.last_used_at ?? undefined,
  };
}
