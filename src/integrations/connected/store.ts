import type { AccountProfile, CredentialType } from "@infragpt/connector-kit";
import { sql, type Selectable } from "kysely";
import type { Database, DatabaseTransaction, Tables } from "#database";
import type { Integration, IntegrationStatus } from "../model.ts";

type Reader = Database | DatabaseTransaction;
type IntegrationsTable = Tables["integrations"];

const INTEGRATION_COLUMNS = [
  "id",
  "organization_id",
  "user_id",
  "connector_type",
  "label",
  "status",
  "bot_id",
  "connector_user_id",
  "connector_organization_id",
  "metadata",
  "health_status",
  "health_detail",
  "health_missing",
  "health_checked_at",
  "last_success_at",
  "credential_type",
  "credentials_expire_at",
  "refresh_state",
  "created_at",
  "updated_at",
  "last_used_at",
  "synced_at",
] as const;

type IntegrationRow = Pick<Selectable<IntegrationsTable>, (typeof INTEGRATION_COLUMNS)[number]>;

function toIntegration(row: IntegrationRow): Integration {
  const { account_name: accountName = "", ...metadata } = row.metadata;
  return {
    id: row.id,
    organizationId: row.organization_id,
    connectorId: row.connector_type,
    label: row.label,
    status: row.status,
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
      lastSuccessAt: row.last_success_at ?? undefined,
      missingPermissions: row.health_missing,
    },
    userId: row.user_id ?? undefined,
    connectorUserId: row.connector_user_id ?? undefined,
    credentialType: row.credential_type ?? undefined,
    credentialsExpireAt: row.credentials_expire_at ?? undefined,
    refreshState: row.refresh_state,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    lastUsedAt: row.last_used_at ?? undefined,
    syncedAt: row.synced_at ?? undefined,
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

/** Whether the account was connected once; asked only where it is not now. */
export async function hasEndedIntegration(
  db: Reader,
  connectorId: string,
  accountId: string,
): Promise<boolean> {
  const row = await db
    .selectFrom("integrations")
    .select("id")
    .where("connector_type", "=", connectorId)
    .where("connector_organization_id", "=", accountId)
    .where("status", "=", "deleted")
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** The live integrations of the accounts that these deliveries name, whoever owns them. */
export async function listOwnersOfDeliveries(
  db: Reader,
  inboxIds: readonly string[],
): Promise<readonly Integration[]> {
  const rows = await db
    .selectFrom("integrations")
    .select(INTEGRATION_COLUMNS)
    .where(
      sql<boolean>`(connector_type, connector_organization_id) in (
        select connector_type, account_id from inbox where id = any(${inboxIds}::uuid[]))`,
    )
    .where("status", "<>", "deleted")
    .execute();
  return rows.map(toIntegration);
}

/** The same, only where this organization owns it. */
export async function findIntegrationOfOrganization(
  db: Reader,
  organizationId: string,
  connectorId: string,
  accountId: string,
): Promise<Integration | undefined> {
  const row = await db
    .selectFrom("integrations")
    .select(INTEGRATION_COLUMNS)
    .where("organization_id", "=", organizationId)
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

/** Whoever owns it: for addresses that name an integration only. */
export async function findLiveIntegration(
  db: Reader,
  id: string,
): Promise<Integration | undefined> {
  const row = await db
    .selectFrom("integrations")
    .select(INTEGRATION_COLUMNS)
    .where("id", "=", id)
    .where("status", "<>", "deleted")
    .executeTakeFirst();
  return row && toIntegration(row);
}

/** Also one that was ended, with what is remembered of it. */
export async function findAnyIntegration(
  db: Reader,
  organizationId: string,
  id: string,
): Promise<Integration | undefined> {
  const row = await db
    .selectFrom("integrations")
    .select(INTEGRATION_COLUMNS)
    .where("organization_id", "=", organizationId)
    .where("id", "=", id)
    .executeTakeFirst();
  return row && toIntegration(row);
}

/** An organization's integrations, the oldest first; ended ones only where they are asked for. */
export async function listIntegrations(
  db: Reader,
  organizationId: string,
  filter: { connectorId?: string | undefined; status?: IntegrationStatus | undefined },
): Promise<readonly Integration[]> {
  let query = db
    .selectFrom("integrations")
    .select(INTEGRATION_COLUMNS)
    .where("organization_id", "=", organizationId)
    .orderBy("created_at")
    .orderBy("id")
    .limit(1_000);
  query = filter.status
    ? query.where("status", "=", filter.status)
    : query.where("status", "<>", "deleted");
  if (filter.connectorId) query = query.where("connector_type", "=", filter.connectorId);
  return (await query.execute()).map(toIntegration);
}

/**
 * What a connection depends on, in one cheap look: when it changes, credentials held in memory are
 * out of date. Undefined when there is no live integration.
 */
export async function findConnectionStamp(
  db: Reader,
  organizationId: string,
  id: string,
): Promise<string | undefined> {
  const { rows } = await sql<{ stamp: string }>`
    select concat_ws('|', status, refresh_state, extract(epoch from integrations.updated_at),
      (select string_agg(credential_type || version, ',' order by credential_type)
        from integration_credentials as held
        where held.organization_id = ${organizationId} and held.integration_id = ${id})) as stamp
    from integrations
    where organization_id = ${organizationId} and id = ${id} and status <> 'deleted'`.execute(db);
  return rows[0]?.stamp;
}

export async function touchLastUsed(
  tx: DatabaseTransaction,
  organizationId: string,
  id: string,
  at: Date,
): Promise<void> {
  await tx
    .updateTable("integrations")
    .set({ last_used_at: at })
    .where("organization_id", "=", organizationId)
    .where("id", "=", id)
    .execute();
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

export interface IntegrationInput {
  readonly id: string;
  readonly connectorId: string;
  /** Undefined: the label stays, or becomes the account's name. */
  readonly label: string | undefined;
  readonly userId: string | undefined;
  readonly connectorUserId: string | undefined;
  readonly credentialType: CredentialType | undefined;
  readonly credentialsExpireAt: Date | undefined;
  readonly profile: AccountProfile;
  readonly at: Date;
}

/** Creates the integration of an account, or renews what is known about it. Never moves it to another organization. */
export async function upsertIntegration(
  tx: DatabaseTransaction,
  organizationId: string,
  input: IntegrationInput,
): Promise<string | undefined> {
  const { profile, at } = input;
  const label = input.label ?? (await freeLabel(tx, organizationId, input));
  const { rows: inserted } = await sql<{ id: string }>`
    insert into integrations
      (id, organization_id, user_id, connector_type, label, bot_id, connector_user_id, connector_organization_id,
       metadata, credential_type, credentials_expire_at, created_at, updated_at)
    values (${input.id}, ${organizationId}, ${input.userId ?? null}, ${input.connectorId}, ${label},
      ${profile.botId ?? null}, ${input.connectorUserId ?? null}, ${profile.accountId},
      ${metadataOf(profile)}::jsonb, ${input.credentialType ?? null}, ${input.credentialsExpireAt ?? null}, ${at}, ${at})
    on conflict (connector_type, connector_organization_id) where status <> 'deleted' do nothing
    returning id`.execute(tx);
  if (inserted[0]) return inserted[0].id;
  // Not "do update": row-level security turns that into an error where the row is another organization's.
  const { rows: renewed } = await sql<{ id: string }>`
    update integrations
    set label = coalesce(${input.label ?? null}, label), user_id = coalesce(${input.userId ?? null}, user_id),
      connector_user_id = coalesce(${input.connectorUserId ?? null}, connector_user_id),
      bot_id = ${profile.botId ?? null}, metadata = ${metadataOf(profile)}::jsonb,
      credential_type = ${input.credentialType ?? null}, credentials_expire_at = ${input.credentialsExpireAt ?? null},
      refresh_state = 'idle', refresh_started_at = null, refresh_after = null,
      updated_at = ${at}, status = 'active'
    where organization_id = ${organizationId} and connector_type = ${input.connectorId}
      and connector_organization_id = ${profile.accountId} and status <> 'deleted'
    returning id`.execute(tx);
  return renewed[0]?.id;
}

/** Follows what an account is called now; its id is what it is known by. Its label is the organization's own. */
export async function updateProfile(
  tx: DatabaseTransaction,
  organizationId: string,
  id: string,
  profile: AccountProfile,
  at: Date,
): Promise<void> {
  const metadata = metadataOf(profile);
  await sql`
    update integrations
    set metadata = ${metadata}::jsonb, bot_id = ${profile.botId ?? null}, updated_at = ${at}
    where organization_id = ${organizationId} and id = ${id} and status <> 'deleted'
      and connector_organization_id = ${profile.accountId}
      and (metadata, bot_id) is distinct from (${metadata}::jsonb, ${profile.botId ?? null})`.execute(
    tx,
  );
}

const LABEL_CHARACTERS_MAX = 80;

/** The account's name, with its id where another integration has that name. */
async function freeLabel(
  tx: DatabaseTransaction,
  organizationId: string,
  { connectorId, profile }: IntegrationInput,
): Promise<string> {
  const name = profile.accountName.slice(0, LABEL_CHARACTERS_MAX);
  const { rows } = await sql`
    select from integrations
    where organization_id = ${organizationId} and connector_type = ${connectorId}
      and lower(label) = lower(${name}) and status <> 'deleted'`.execute(tx);
  return rows.length === 0 ? name : `${name} (${profile.accountId})`;
}

function metadataOf(profile: AccountProfile): string {
  return JSON.stringify({ ...profile.metadata, account_name: profile.accountName });
}

/** Returns false when it had ended before. */
export async function endIntegration(
  tx: DatabaseTransaction,
  organizationId: string,
  id: string,
  input: { reason: string; at: Date },
): Promise<boolean> {
  // Credentials are not touched: the caller deletes them, or keeps them for their revocation.
  const ended = await tx
    .updateTable("integrations")
    .set({
      status: "deleted",
      health_status: "revoked",
      health_detail: input.reason,
      health_missing: [],
      credentials_expire_at: null,
      updated_at: input.at,
    })
    .where("organization_id", "=", organizationId)
    .where("id", "=", id)
    .where("status", "<>", "deleted")
    .returning("id")
    .executeTakeFirst();
  await tx
    .deleteFrom("integration_resources")
    .where("organization_id", "=", organizationId)
    .where("integration_id", "=", id)
    .execute();
  return ended !== undefined;
}

/**
 * Notes what an account says of its connection, unless something later is known. Returns whether the
 * status is another than before. Locks the row until the transaction ends.
 */
export async function updateStatus(
  tx: DatabaseTransaction,
  organizationId: string,
  id: string,
  input: { status: "active" | "suspended"; vendorAt: Date; at: Date },
): Promise<boolean> {
  const { rows } = await sql<{ before: string }>`
    update integrations
    set status = ${input.status}, vendor_status_at = ${input.vendorAt},
      updated_at = case when before.status = ${input.status} then updated_at else ${input.at} end
    from (
      select id as before_id, status from integrations
      where organization_id = ${organizationId} and id = ${id} and status in ('active', 'suspended')
        and (vendor_status_at is null or vendor_status_at <= ${input.vendorAt})
      for update
    ) as before
    where id = before_id and organization_id = ${organizationId}
    returning before.status as before`.execute(tx);
  return rows[0] !== undefined && rows[0].before !== input.status;
}
