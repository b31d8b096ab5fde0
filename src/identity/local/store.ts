import type { DatabaseTransaction } from "#database";

export interface LoginGrant {
  readonly id: string;
  readonly organizationId: string;
  readonly userId: string;
}

interface NewGrant extends LoginGrant {
  readonly hash: Buffer;
  readonly at: Date;
  readonly expiresAt: Date;
}

export async function insertLoginLink(tx: DatabaseTransaction, link: NewGrant): Promise<void> {
  await tx.insertInto("login_links").values(toRow(link)).execute();
}

/** Uses a link up. Of two that try at once, one gets it. */
export async function useLoginLink(
  tx: DatabaseTransaction,
  hash: Buffer,
  at: Date,
): Promise<LoginGrant | undefined> {
  const row = await tx
    .updateTable("login_links")
    .set({ used_at: at })
    .where("token_hash", "=", hash)
    .where("used_at", "is", null)
    .where("expires_at", ">", at)
    .returning(["id", "organization_id", "user_id"])
    .executeTakeFirst();
  return row && toGrant(row);
}

export async function insertSession(tx: DatabaseTransaction, session: NewGrant): Promise<void> {
  await tx.insertInto("local_sessions").values(toRow(session)).execute();
}

export async function findLiveSession(
  tx: DatabaseTransaction,
  hash: Buffer,
  at: Date,
): Promise<LoginGrant | undefined> {
  const row = await tx
    .selectFrom("local_sessions")
    .select(["id", "organization_id", "user_id"])
    .where("token_hash", "=", hash)
    .where("ended_at", "is", null)
    .where("expires_at", ">", at)
    .executeTakeFirst();
  return row && toGrant(row);
}

export async function endSession(
  tx: DatabaseTransaction,
  hash: Buffer,
  at: Date,
): Promise<LoginGrant | undefined> {
  const row = await tx
    .updateTable("local_sessions")
    .set({ ended_at: at })
    .where("token_hash", "=", hash)
    .where("ended_at", "is", null)
    .returning(["id", "organization_id", "user_id"])
    .executeTakeFirst();
  return row && toGrant(row);
}

/** Links and sessions that can never be used again. */
export async function deleteExpired(tx: DatabaseTransaction, before: Date): Promise<void> {
  await tx.deleteFrom("login_links").where("expires_at", "<", before).execute();
  await tx.deleteFrom("local_sessions").where("expires_at", "<", before).execute();
}

function toRow({ id, organizationId, userId, hash, at, expiresAt }: NewGrant) {
  return {
    id,
    organization_id: organizationId,
    user_id: userId,
    token_hash: hash,
    created_at: at,
    expires_at: expiresAt,
  };
}

function toGrant(row: {
  readonly id: string;
  readonly organization_id: string;
  readonly user_id: string;
}): LoginGrant {
  return { id: row.id, organizationId: row.organization_id, userId: row.user_id };
}
