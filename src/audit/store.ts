import { sql } from "kysely";
import type { Database, DatabaseTransaction } from "#database";
import type { SealedRecord } from "#platform";
import type { ChainedEntry, ChainHead, SignedHead } from "./model.ts";

type Reader = Database | DatabaseTransaction;

/**
 * Appends to the chain. The function locks the organization's head until the transaction ends, so
 * entries of one organization are written one after the other.
 */
export async function insertEntry(
  tx: DatabaseTransaction,
  organizationId: string,
  { at, body }: { readonly at: Date; readonly body: string },
): Promise<void> {
  await sql`select audit_append(${organizationId}::uuid, ${at}::timestamptz, ${body})`.execute(tx);
}

interface EntryRow {
  readonly seq: string;
  readonly at: Date;
  readonly at_microseconds: string;
  readonly body: string;
  readonly prev_hash: Buffer;
  readonly hash: Buffer;
}

/** A piece of the chain in its order, beginning after `afterSeq`. */
export async function listChain(
  db: Reader,
  organizationId: string,
  range: {
    readonly afterSeq: number;
    readonly seqMax?: number | undefined;
    readonly from?: Date | undefined;
    readonly to?: Date | undefined;
    readonly limit: number;
  },
): Promise<readonly ChainedEntry[]> {
  const { afterSeq, seqMax, from, to, limit } = range;
  const { rows } = await sql<EntryRow>`
    select seq, at, (extract(epoch from at) * 1000000)::bigint as at_microseconds, body, prev_hash, hash
    from audit_entries
    where organization_id = ${organizationId} and seq > ${afterSeq}
      ${seqMax === undefined ? sql`` : sql`and seq <= ${seqMax}`}
      ${from === undefined ? sql`` : sql`and at >= ${from}`}
      ${to === undefined ? sql`` : sql`and at < ${to}`}
    order by seq
    limit ${limit}`.execute(db);
  return rows.map((row) => toEntry(organizationId, row));
}

export interface EntryFilter {
  readonly action?: string | undefined;
  readonly actorId?: string | undefined;
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
  readonly beforeSeq?: number | undefined;
}

/** The newest entries first. */
export async function listNewest(
  db: Reader,
  organizationId: string,
  { action, actorId, from, to, beforeSeq }: EntryFilter,
  limit: number,
): Promise<readonly ChainedEntry[]> {
  let query = db
    .selectFrom("audit_entries")
    .select(["seq", "at", "body", "prev_hash", "hash"])
    .select(sql<string>`(extract(epoch from at) * 1000000)::bigint`.as("at_microseconds"))
    .where("organization_id", "=", organizationId);
  if (action !== undefined) query = query.where("action", "=", action);
  if (actorId !== undefined) query = query.where("actor_id", "=", actorId);
  if (from !== undefined) query = query.where("at", ">=", from);
  if (to !== undefined) query = query.where("at", "<", to);
  if (beforeSeq !== undefined) query = query.where("seq", "<", String(beforeSeq));
  const rows = await query.orderBy("seq", "desc").limit(limit).execute();
  return rows.map((row) => toEntry(organizationId, row));
}

export interface ChainEnd {
  readonly head: ChainHead | undefined;
  /** 0 when there is no row. */
  readonly lastSeq: number;
  readonly lastSigned: { readonly seq: number; readonly signedAt: Date } | undefined;
}

/** Everything that says where a chain ends, as of one moment. */
export async function readChainEnd(db: Reader, organizationId: string): Promise<ChainEnd> {
  const { rows } = await sql<{
    last_seq: string | null;
    head_seq: string | null;
    head_hash: Buffer | null;
    signed_seq: string | null;
    signed_at: Date | null;
  }>`
    select
      (select max(seq) from audit_entries where organization_id = ${organizationId}) as last_seq,
      head.seq as head_seq, head.hash as head_hash, signed.seq as signed_seq, signed.signed_at
    from (values (1)) as one (row)
    left join audit_heads as head on head.organization_id = ${organizationId}
    left join lateral (
      select seq, signed_at from audit_signed_heads
      where organization_id = ${organizationId} order by seq desc limit 1
    ) as signed on true`.execute(db);
  const row = rows[0];
  return {
    lastSeq: Number(row?.last_seq ?? 0),
    head:
      row?.head_seq && row.head_hash
        ? { organizationId, seq: Number(row.head_seq), hash: row.head_hash }
        : undefined,
    lastSigned:
      row?.signed_seq && row.signed_at
        ? { seq: Number(row.signed_seq), signedAt: row.signed_at }
        : undefined,
  };
}

/** Every organization that has, or had, a chain. */
export async function listChains(
  db: Reader,
  { after, limit }: { readonly after: string | undefined; readonly limit: number },
): Promise<readonly string[]> {
  const { rows } = await sql<{ organization_id: string }>`
    select organization_id from (
      select organization_id from audit_heads
      union select organization_id from audit_signed_heads
      union select distinct organization_id from audit_entries
    ) as chains
    where ${after ?? null}::uuid is null or organization_id > ${after ?? null}::uuid
    order by organization_id
    limit ${limit}`.execute(db);
  return rows.map((row) => row.organization_id);
}

/** Heads that moved since they were signed last. */
export async function listUnsignedHeads(
  db: Reader,
  {
    after,
    organizationId,
    limit,
  }: { after?: string | undefined; organizationId?: string | undefined; limit: number },
): Promise<readonly ChainHead[]> {
  const { rows } = await sql<{ organization_id: string; seq: string; hash: Buffer }>`
    select head.organization_id, head.seq, head.hash
    from audit_heads as head
    where head.seq > coalesce((
        select max(signed.seq) from audit_signed_heads as signed
        where signed.organization_id = head.organization_id
      ), 0)
      ${after === undefined ? sql`` : sql`and head.organization_id > ${after}::uuid`}
      ${organizationId === undefined ? sql`` : sql`and head.organization_id = ${organizationId}::uuid`}
    order by head.organization_id
    limit ${limit}`.execute(db);
  return rows.map((row) => ({
    organizationId: row.organization_id,
    seq: Number(row.seq),
    hash: row.hash,
  }));
}

/** Another replica may have signed the same head: one signature of it is enough. */
export async function insertSignedHeads(
  tx: DatabaseTransaction,
  heads: readonly SignedHead[],
): Promise<void> {
  if (heads.length === 0) return;
  await tx
    .insertInto("audit_signed_heads")
    .values(
      heads.map((head) => ({
        organization_id: head.organizationId,
        seq: String(head.seq),
        hash: head.hash,
        signed_at: head.signedAt,
        key_id: head.keyId,
        signature: head.signature,
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export async function listSignedHeads(
  db: Reader,
  organizationId: string,
  { afterSeq, seqMax }: { readonly afterSeq: number; readonly seqMax: number },
): Promise<readonly SignedHead[]> {
  const rows = await db
    .selectFrom("audit_signed_heads")
    .select(["seq", "hash", "signed_at", "key_id", "signature"])
    .where("organization_id", "=", organizationId)
    .where("seq", ">", String(afterSeq))
    .where("seq", "<=", String(seqMax))
    .orderBy("seq")
    .execute();
  return rows.map((row) => ({
    organizationId,
    seq: Number(row.seq),
    hash: row.hash,
    signedAt: row.signed_at,
    keyId: row.key_id,
    signature: row.signature,
  }));
}

export interface StoredSigningKey extends SealedRecord {
  readonly id: string;
  readonly isInUse: boolean;
}

export async function listSigningKeys(db: Reader): Promise<readonly StoredSigningKey[]> {
  const rows = await db
    .selectFrom("audit_signing_keys")
    .select(["id", "format", "kek_id", "wrapped_dek", "ciphertext", "retired_at"])
    .orderBy("created_at")
    .limit(1_000)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    format: row.format,
    kekId: row.kek_id,
    wrappedDek: row.wrapped_dek,
    ciphertext: row.ciphertext,
    isInUse: row.retired_at === null,
  }));
}

/** Does nothing when a key is in use already: another replica was first. */
export async function insertSigningKey(
  tx: DatabaseTransaction,
  { id, sealed, at }: { readonly id: string; readonly sealed: SealedRecord; readonly at: Date },
): Promise<void> {
  await tx
    .insertInto("audit_signing_keys")
    .values({
      id,
      format: sealed.format,
      kek_id: sealed.kekId,
      wrapped_dek: Buffer.from(sealed.wrappedDek),
      ciphertext: Buffer.from(sealed.ciphertext),
      created_at: at,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

function toEntry(organizationId: string, row: EntryRow): ChainedEntry {
  return {
    organizationId,
    seq: Number(row.seq),
    at: row.at,
    atMicroseconds: row.at_microseconds,
    body: row.body,
    prevHash: row.prev_hash,
    hash: row.hash,
  };
}
