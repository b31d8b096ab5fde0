import type { AccountProfile } from "@infragpt/connector-kit";
import { sql } from "kysely";
import type { Database, DatabaseTransaction } from "#database";
import type { Integration, IntegrationHealth, StoredDelivery } from "./model.ts";

type Reader = Database | DatabaseTransaction;

export interface NewInboxRow {
  readonly id: string;
  readonly connectorId: string;
  readonly accountId: string;
  readonly deliveryId: string;
  readonly messageKey?: string;
  readonly orderKey: string;
  readonly kind: string;
  readonly body: Uint8Array;
  readonly receivedAt: Date;
}

/**
 * Inserts the rows that no earlier delivery stands for and returns those. Sorted by identity, so that
 * two replicas storing the same redeliveries lock the unique indexes in the same order.
 */
export async function insertNewDeliveries(
  tx: DatabaseTransaction,
  rows: readonly NewInboxRow[],
): Promise<readonly { id: string; orderKey: string }[]> {
  const values = rows
    .toSorted((a, b) => compare(a.messageKey ?? a.deliveryId, b.messageKey ?? b.deliveryId))
    .map(
      (row) => sql`(
        ${row.id}::uuid,
        (select organization_id from integrations
          where connector_type = ${row.connectorId} and connector_organization_id = ${row.accountId} and status <> 'deleted'),
        ${row.connectorId}, ${row.accountId}, ${row.deliveryId}, ${row.messageKey ?? null}, ${row.orderKey},
        ${row.kind}, ${Buffer.from(row.body)}::bytea, ${row.receivedAt}::timestamptz)`,
    );
  const { rows: stored } = await sql<{ id: string; order_key: string }>`
    insert into inbox
      (id, organization_id, connector_type, account_id, delivery_id, message_key, order_key, kind, body, received_at)
    values ${sql.join(values)}
    on conflict do nothing
    returning id, order_key`.execute(tx);
  return stored.map((row) => ({ id: row.id, orderKey: row.order_key }));
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

export async function findDelivery(db: Reader, id: string): Promise<StoredDelivery | undefined> {
  const row = await db
    .selectFrom("inbox")
    .select([
      "id",
      "organization_id",
      "connector_type",
      "account_id",
      "delivery_id",
      "message_key",
      "order_key",
      "kind",
      "body",
      "state",
    ])
    .where("id", "=", id)
    .executeTakeFirst();
  if (!row) return undefined;
  return {
    id: row.id,
    organizationId: row.organization_id ?? undefined,
    connectorId: row.connector_type,
    accountId: row.account_id,
    deliveryId: row.delivery_id,
    messageKey: row.message_key ?? undefined,
    orderKey: row.order_key,
    kind: row.kind,
    body: row.body,
    state: row.state,
  };
}

export async function markDelivery(
  db: Reader,
  id: string,
  outcome: {
    state: "handled" | "ignored" | "dead";
    detail?: string;
    organizationId?: string;
    at: Date;
  },
): Promise<void> {
  await db
    .updateTable("inbox")
    .set({
      state: outcome.state,
      detail: outcome.detail ?? null,
      handled_at: outcome.at,
      ...(outcome.organizationId ? { organization_id: outcome.organizationId } : {}),
    })
    .where("id", "=", id)
    .execute();
}

const INTEGRATION_COLUMNS = [
  "id",
  "organization_id",
  "connector_type",
  "label",
  "bot_id",
  "connector_organization_id",
  "metadata",
  "health_status",
  "health_detail",
  "health_checked_at",
] as const;

interface IntegrationRow {
  id: string;
  organization_id: string;
  connector_type: string;
  label: string;
  bot_id: string | null;
  connector_organization_id: string;
  metadata: Record<string, string>;
  health_status: IntegrationHealth["status"];
  health_detail: string | null;
  health_checked_at: Date | null;
}

function toIntegration(row: IntegrationRow): Integration {
  const { account_name: accountName = "", ...metadata } = row.metadata;
  return {
    id: row.id,
    organizationId: row.organization_id,
    connectorId: row.connector_type,
    label: row.label,
    profile: {
      accountId: row.connector_organization_id,
      accountName,
      ...(row.bot_id ? { botId: row.bot_id } : {}),
      metadata,
    },
    health: {
      status: row.health_status,
      detail: row.health_detail ?? undefined,
      checkedAt: row.health_checked_at ?? undefined,
    },
  };
}

/** The live integration of a vendor's account, whoever owns it: for deliveries, which name the account only. */
export async function findIntegrationOfAccount(
  db: Reader,
  connectorId: string,
  accountId: string,
): Promise<Integration | undefined> {
  const row = await db
    .selectFrom("integrations")
    .select(INTEGRATION_COLUMNS)
    .where("connector_type", "=", connectorId)
    .where("connector_organization_id", "=", accountId)
    .where("status", "<>", "deleted")
    .executeTakeFirst();
  return row && toIntegration(row);
}

export async function findIntegration(
  db: Reader,
  organizationId: string,
  id: string,
): Promise<Integration | undefined> {
  const row = await db
    .selectFrom("integrations")
    .select(INTEGRATION_COLUMNS)
    .where("organization_id", "=", organizationId)
    .where("id", "=", id)
    .where("status", "<>", "deleted")
    .executeTakeFirst();
  return row && toIntegration(row);
}

/** Every live integration of every organization: for probes and the service's own state. */
export async function listLiveIntegrations(db: Reader): Promise<readonly Integration[]> {
  const rows = await db
    .selectFrom("integrations")
    .select(INTEGRATION_COLUMNS)
    .where("status", "<>", "deleted")
    .orderBy("created_at")
    .limit(10_000)
    .execute();
  return rows.map(toIntegration);
}

/** Creates the integration of an account, or refreshes what is known about it. Never moves it to another organization. */
export async function upsertIntegration(
  tx: DatabaseTransaction,
  organizationId: string,
  input: { id: string; connectorId: string; profile: AccountProfile; at: Date },
): Promise<string | undefined> {
  const { rows: inserted } = await sql<{ id: string }>`
    insert into integrations
      (id, organization_id, connector_type, bot_id, connector_organization_id, metadata, created_at, updated_at)
    values (${input.id}, ${organizationId}, ${input.connectorId}, ${input.profile.botId ?? null},
      ${input.profile.accountId}, ${metadataOf(input.profile)}::jsonb, ${input.at}, ${input.at})
    on conflict (connector_type, connector_organization_id) where status <> 'deleted' do nothing
    returning id`.execute(tx);
  if (inserted[0]) return inserted[0].id;
  // Not "do update": row-level security turns that into an error where the row is another organization's.
  const { rows: refreshed } = await sql<{ id: string }>`
    update integrations
    set bot_id = ${input.profile.botId ?? null}, metadata = ${metadataOf(input.profile)}::jsonb,
      updated_at = ${input.at}, status = 'active'
    where organization_id = ${organizationId} and connector_type = ${input.connectorId}
      and connector_organization_id = ${input.profile.accountId} and status <> 'deleted'
    returning id`.execute(tx);
  return refreshed[0]?.id;
}

function metadataOf(profile: AccountProfile): string {
  return JSON.stringify({ ...profile.metadata, account_name: profile.accountName });
}

export async function endIntegration(
  tx: DatabaseTransaction,
  organizationId: string,
  id: string,
  input: { reason: string; at: Date },
): Promise<void> {
  await tx
    .updateTable("integrations")
    .set({
      status: "deleted",
      health_status: "revoked",
      health_detail: input.reason,
      updated_at: input.at,
    })
    .where("organization_id", "=", organizationId)
    .where("id", "=", id)
    .execute();
  await tx
    .deleteFrom("integration_credentials")
    .where("organization_id", "=", organizationId)
    .where("integration_id", "=", id)
    .execute();
}

export async function updateStatus(
  tx: DatabaseTransaction,
  organizationId: string,
  id: string,
  input: { status: "active" | "suspended"; at: Date },
): Promise<void> {
  await tx
    .updateTable("integrations")
    .set({ status: input.status, updated_at: input.at })
    .where("organization_id", "=", organizationId)
    .where("id", "=", id)
    .where("status", "in", ["active", "suspended"])
    .execute();
}

export async function updateHealth(
  db: Reader,
  organizationId: string,
  id: string,
  health: { status: IntegrationHealth["status"]; detail: string | undefined; at: Date },
): Promise<void> {
  await db
    .updateTable("integrations")
    .set({
      health_status: health.status,
      health_detail: health.detail ?? null,
      health_checked_at: health.at,
      ...(health.status === "healthy" ? { last_success_at: health.at } : {}),
    })
    .where("organization_id", "=", organizationId)
    .where("id", "=", id)
    .execute();
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

/** The version a credential has now; 0 when there is none. */
export async function findCredentialVersion(
  db: Reader,
  organizationId: string,
  integrationId: string,
  credentialType: string,
): Promise<number> {
  const row = await db
    .selectFrom("integration_credentials")
    .select("version")
    .where("organization_id", "=", organizationId)
    .where("integration_id", "=", integrationId)
    .where("credential_type", "=", credentialType)
    .executeTakeFirst();
  return row?.version ?? 0;
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

/** Every key that some stored ciphertext or canary needs, with its canary where one was made. */
export async function listKeysInUse(
  db: Reader,
): Promise<readonly { kekId: string; canary: Buffer | undefined }[]> {
  const { rows } = await sql<{ kek_id: string; sealed: Buffer | null }>`
    select used.kek_id, canary.sealed
    from (select kek_id from integration_credentials union select kek_id from key_canaries) as used
    left join key_canaries as canary on canary.kek_id = used.kek_id
    order by used.kek_id`.execute(db);
  return rows.map((row) => ({ kekId: row.kek_id, canary: row.sealed ?? undefined }));
}

export async function insertCanary(db: Reader, kekId: string, sealed: Uint8Array): Promise<void> {
  await db
    .insertInto("key_canaries")
    .values({ kek_id: kekId, sealed: Buffer.from(sealed) })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}
