import { sql, type RawBuilder } from "kysely";
import { SYSTEM_CHAIN_ID } from "#audit";
import type { Database, DatabaseTransaction } from "#database";
import type {
  KeyState,
  KeyUse,
  MovedRecord,
  RegisteredKey,
  Replica,
  StoredRecord,
} from "./model.ts";

type Reader = Database | DatabaseTransaction;

/** A table of sealed records; the rest is SQL: what each record is bound to, and which still matter. */
export interface SealedTable {
  readonly name: string;
  readonly organizationId: string;
  readonly integrationId: string;
  readonly credentialType: string;
  readonly version: string;
  readonly isLive: string;
}

/** Every table that holds what the keyring sealed. A test finds one that is missing here. */
export const SEALED_TABLES: readonly SealedTable[] = [
  {
    name: "integration_credentials",
    organizationId: "t.organization_id",
    integrationId: "t.integration_id",
    credentialType: "t.credential_type",
    version: "t.version",
    isLive: "true",
  },
  {
    name: "revocation_credentials",
    organizationId: "t.organization_id",
    integrationId: "t.integration_id",
    credentialType: "t.credential_type",
    version: "t.version",
    isLive: "true",
  },
  {
    name: "authorization_states",
    organizationId: "t.organization_id",
    integrationId: "t.id",
    credentialType: "'pkce_verifier'",
    version: "1",
    isLive: "t.expires_at > now()",
  },
  {
    name: "audit_signing_keys",
    organizationId: `'${SYSTEM_CHAIN_ID}'::uuid`,
    integrationId: "t.id",
    credentialType: "'audit_signing_key'",
    version: "1",
    isLive: "true",
  },
];

export async function listKeys(db: Reader): Promise<readonly RegisteredKey[]> {
  const rows = await db
    .selectFrom("key_canaries")
    .select([
      "kek_id",
      "sealed",
      "state",
      "makes_new_data_keys",
      "created_at",
      "promoted_at",
      "retired_at",
    ])
    .orderBy("created_at")
    .orderBy("kek_id")
    .limit(1_000)
    .execute();
  return rows.map((row) => ({
    id: row.kek_id,
    canary: row.sealed,
    state: row.state,
    makesNewDataKeys: row.makes_new_data_keys,
    createdAt: row.created_at,
    promotedAt: row.promoted_at ?? undefined,
    retiredAt: row.retired_at ?? undefined,
  }));
}

/** Returns false when the key was registered before. */
export async function insertKey(
  db: Reader,
  key: { id: string; canary: Uint8Array; makesNewDataKeys: boolean },
): Promise<boolean> {
  const { rows } = await sql<{ kek_id: string }>`
    insert into key_canaries (kek_id, sealed, state, makes_new_data_keys)
    values (${key.id}, ${Buffer.from(key.canary)}, 'pending', ${key.makesNewDataKeys})
    on conflict (kek_id) do nothing
    returning kek_id`.execute(db);
  return rows.length === 1;
}

/** Makes it the one active key. Returns false when it is that already, or was retired. */
export async function activateKey(tx: DatabaseTransaction, id: string): Promise<boolean> {
  const { rows } = await sql<{ state: KeyState }>`
    select state from key_canaries where kek_id = ${id} for update`.execute(tx);
  const state = rows[0]?.state;
  if (state === undefined || state === "active" || state === "retired") return false;
  await sql`update key_canaries set state = 'decrypt_only' where state = 'active'`.execute(tx);
  await sql`
    update key_canaries set state = 'active', promoted_at = now()
    where kek_id = ${id}`.execute(tx);
  return true;
}

/**
 * Locks the key against the trigger of every writer: what is counted after this is all there is and
 * will be. Returns its state.
 */
export async function lockKey(tx: DatabaseTransaction, id: string): Promise<KeyState | undefined> {
  const { rows } = await sql<{ state: KeyState }>`
    select state from key_canaries where kek_id = ${id} for update`.execute(tx);
  return rows[0]?.state;
}

export async function markRetired(tx: DatabaseTransaction, id: string): Promise<void> {
  await sql`
    update key_canaries set state = 'retired', retired_at = now()
    where kek_id = ${id}`.execute(tx);
}

/** What each key still seals. Counts every record: for people, not for a loop. */
export async function listKeyUses(db: Reader): Promise<readonly KeyUse[]> {
  const parts = SEALED_TABLES.map(
    (table) => sql`
      select ${table.name} as table_name, t.kek_id, count(*)::int as records,
        (count(*) filter (where ${isUndecryptable(table)}))::int as undecryptable
      from ${sql.table(table.name)} as t
      where t.kek_id is not null and ${sql.raw(table.isLive)}
      group by t.kek_id`,
  );
  const { rows } = await sql<{
    table_name: string;
    kek_id: string;
    records: number;
    undecryptable: number;
  }>`${sql.join(parts, sql` union all `)} order by kek_id, table_name`.execute(db);
  return rows.map((row) => ({
    keyId: row.kek_id,
    table: row.table_name,
    records: row.records,
    undecryptable: row.undecryptable,
  }));
}

/** Up to `limit` records under a key, locked for this transaction; those that others hold are left out. */
export async function lockRecords(
  tx: DatabaseTransaction,
  table: SealedTable,
  query: { readonly kekId: string; readonly limit: number; readonly withCiphertext: boolean },
): Promise<readonly StoredRecord[]> {
  const ciphertext = query.withCiphertext ? sql`t.ciphertext` : sql`''::bytea`;
  const { rows } = await sql<{
    id: string;
    organization_id: string;
    integration_id: string;
    credential_type: string;
    version: number;
    kek_id: string;
    wrapped_dek: Buffer;
    format: number;
    ciphertext: Buffer;
  }>`
    select t.id, ${sql.raw(table.organizationId)} as organization_id,
      ${sql.raw(table.integrationId)} as integration_id,
      ${sql.raw(table.credentialType)} as credential_type, ${sql.raw(table.version)} as version,
      t.kek_id, t.wrapped_dek, t.format, ${ciphertext} as ciphertext
    from ${sql.table(table.name)} as t
    where t.kek_id = ${query.kekId} and ${sql.raw(table.isLive)} and not ${isUndecryptable(table)}
    order by t.id
    limit ${query.limit}
    for update of t skip locked`.execute(tx);
  return rows.map((row) => ({
    id: row.id,
    context: {
      organizationId: row.organization_id,
      integrationId: row.integration_id,
      credentialType: row.credential_type,
      version: row.version,
    },
    kekId: row.kek_id,
    wrappedDek: row.wrapped_dek,
    format: row.format,
    ciphertext: row.ciphertext,
  }));
}

/** Writes records under their next key, but for those that were written anew meanwhile. Returns how many. */
export async function saveMoved(
  tx: DatabaseTransaction,
  table: SealedTable,
  moved: readonly MovedRecord[],
): Promise<number> {
  const first = moved[0];
  if (!first) return 0;
  const ciphertexts = moved.map(({ ciphertext }) => ciphertext && Buffer.from(ciphertext));
  const { numAffectedRows } = await sql`
    update ${sql.table(table.name)} as t
    set kek_id = n.kek_id, wrapped_dek = n.wrapped_dek,
      ciphertext = coalesce(n.ciphertext, t.ciphertext)
    from unnest(
      ${moved.map(({ from }) => from.id)}::uuid[], ${moved.map(({ from }) => from.kekId)}::text[],
      ${moved.map(({ from }) => from.context.version)}::int[],
      ${moved.map(({ kekId }) => kekId)}::text[],
      ${moved.map(({ wrappedDek }) => Buffer.from(wrappedDek))}::bytea[],
      ${ciphertexts.map((bytes) => bytes ?? null)}::bytea[]
    ) as n (id, old_kek_id, version, kek_id, wrapped_dek, ciphertext)
    where t.id = n.id and t.kek_id = n.old_kek_id and ${sql.raw(table.version)} = n.version`.execute(
    tx,
  );
  return Number(numAffectedRows ?? 0n);
}

/** Remembers records that their key does not open. Returns those that were not known yet. */
export async function insertUndecryptable(
  tx: DatabaseTransaction,
  table: SealedTable,
  records: readonly StoredRecord[],
): Promise<readonly string[]> {
  if (records.length === 0) return [];
  const { rows } = await sql<{ record_id: string }>`
    insert into undecryptable_records (table_name, record_id, version, kek_id)
    select ${table.name}, n.id, n.version, n.kek_id
    from unnest(
      ${records.map(({ id }) => id)}::uuid[], ${records.map(({ context }) => context.version)}::int[],
      ${records.map(({ kekId }) => kekId)}::text[]
    ) as n (id, version, kek_id)
    on conflict do nothing
    returning record_id`.execute(tx);
  return rows.map((row) => row.record_id);
}

export async function saveReplica(db: Reader, replica: Omit<Replica, "seenAt">): Promise<void> {
  const knownKeyIds = [...replica.knownKeyIds];
  await sql`
    insert into key_status (replica_id, host, primary_key_id, known_key_ids, seen_at)
    values (${replica.id}, ${replica.host}, ${replica.primaryKeyId}, ${knownKeyIds}::text[], now())
    on conflict (replica_id) do update set
      primary_key_id = excluded.primary_key_id, known_key_ids = excluded.known_key_ids,
      seen_at = excluded.seen_at`.execute(db);
  await sql`delete from key_status where seen_at < now() - interval '1 day'`.execute(db);
}

export async function deleteReplica(db: Reader, id: string): Promise<void> {
  await db.deleteFrom("key_status").where("replica_id", "=", id).execute();
}

/** The replicas that were seen within `liveMs`, by the database's clock. */
export async function listLiveReplicas(db: Reader, liveMs: number): Promise<readonly Replica[]> {
  const { rows } = await sql<{
    replica_id: string;
    host: string;
    primary_key_id: string;
    known_key_ids: string[];
    seen_at: Date;
  }>`
    select replica_id, host, primary_key_id, known_key_ids, seen_at
    from key_status
    where seen_at > now() - make_interval(secs => ${liveMs / 1000})
    order by host, replica_id
    limit 1000`.execute(db);
  return rows.map((row) => ({
    id: row.replica_id,
    host: row.host,
    primaryKeyId: row.primary_key_id,
    knownKeyIds: row.known_key_ids,
    seenAt: row.seen_at,
  }));
}

/** One rotation at a time. The lock belongs to the session, so that it ends with a process that dies. */
export async function tryLockRotation(session: Database): Promise<boolean> {
  const { rows } = await sql<{ is_locked: boolean }>`
    select pg_try_advisory_lock(hashtext('infragpt/rotate-keys')) as is_locked`.execute(session);
  return rows[0]?.is_locked === true;
}

export async function unlockRotation(session: Database): Promise<void> {
  await sql`select pg_advisory_unlock(hashtext('infragpt/rotate-keys'))`.execute(session);
}

function isUndecryptable(table: SealedTable): RawBuilder<boolean> {
  return sql<boolean>`exists (
    select from undecryptable_records as u
    where u.table_name = ${table.name} and u.record_id = t.id
      and u.version = ${sql.raw(table.version)} and u.kek_id = t.kek_id)`;
}
