import type { Resource } from "@infragpt/connector-kit";
import { sql } from "kysely";
import type { Database, DatabaseTransaction } from "#database";
import type { IntegrationHealth, IntegrationStatus } from "../model.ts";
import type { SealedCredential } from "../store.ts";

type Reader = Database | DatabaseTransaction;

/** The status now, held until the transaction ends. Undefined for an integration that has ended. */
export async function lockHealthStatus(
  tx: DatabaseTransaction,
  organizationId: string,
  id: string,
): Promise<IntegrationHealth["status"] | undefined> {
  const row = await tx
    .selectFrom("integrations")
    .select("health_status")
    .where("organization_id", "=", organizationId)
    .where("id", "=", id)
    .where("status", "<>", "deleted")
    .forUpdate()
    .executeTakeFirst();
  return row?.health_status;
}

export async function updateHealth(
  tx: DatabaseTransaction,
  organizationId: string,
  id: string,
  health: {
    status: IntegrationHealth["status"];
    detail: string | undefined;
    missing: readonly string[];
    at: Date;
  },
): Promise<void> {
  await tx
    .updateTable("integrations")
    .set({
      health_status: health.status,
      health_detail: health.detail ?? null,
      health_missing: [...health.missing],
      health_failures: 0,
      health_checked_at: health.at,
      ...(health.status === "healthy" ? { last_success_at: health.at } : {}),
    })
    .where("organization_id", "=", organizationId)
    .where("id", "=", id)
    .execute();
}

/** Counts a probe that could not say anything, and returns how many there were in a row. */
export async function countFailedProbe(
  tx: DatabaseTransaction,
  organizationId: string,
  id: string,
  at: Date,
): Promise<number> {
  const row = await tx
    .updateTable("integrations")
    .set((update) => ({
      health_failures: update("health_failures", "+", 1),
      health_checked_at: at,
    }))
    .where("organization_id", "=", organizationId)
    .where("id", "=", id)
    .returning("health_failures")
    .executeTakeFirst();
  return row?.health_failures ?? 0;
}

export interface DueIntegration {
  readonly id: string;
  readonly organizationId: string;
  readonly connectorId: string;
  /** When it was found to be due. */
  readonly status: IntegrationStatus;
}

interface DueRow {
  readonly id: string;
  readonly organization_id: string;
  readonly connector_type: string;
  readonly status: IntegrationStatus;
}

function toDue(row: DueRow): DueIntegration {
  const { id, status } = row;
  return { id, status, organizationId: row.organization_id, connectorId: row.connector_type };
}

/**
 * Takes the probes that are due and plans the next ones, so that each goes to one replica. Skips
 * rows that another replica is taking.
 */
export async function takeDueProbes(
  tx: DatabaseTransaction,
  input: { at: Date; nextAt: Date; limit: number },
): Promise<readonly DueIntegration[]> {
  const { rows } = await sql<DueRow>`
    update integrations set health_next_at = ${input.nextAt}
    where id in (
      select id from integrations
      where status in ('active', 'suspended') and health_next_at <= ${input.at}
      order by health_next_at
      limit ${input.limit}
      for update skip locked
    )
    returning id, organization_id, connector_type, status`.execute(tx);
  return rows.map(toDue);
}

/** What an account shares or permits has changed: its health is asked for at the next look. */
export async function makeProbeDue(
  tx: DatabaseTransaction,
  organizationId: string,
  id: string,
  at: Date,
): Promise<void> {
  await tx
    .updateTable("integrations")
    .set({ health_next_at: at })
    .where("organization_id", "=", organizationId)
    .where("id", "=", id)
    .execute();
}

/** Integrations whose credentials end before `until`, and attempts that nobody finished. */
export async function listDueRefreshes(
  db: Reader,
  input: { at: Date; until: Date; startedBefore: Date; connectorId: string; limit: number },
): Promise<readonly DueIntegration[]> {
  const { rows } = await sql<DueRow>`
    select id, organization_id, connector_type, status from integrations
    where status = 'active' and connector_type = ${input.connectorId}
      and (
        (refresh_state = 'idle' and credentials_expire_at <= ${input.until}
          and (refresh_after is null or refresh_after <= ${input.at}))
        or (refresh_state = 'running' and refresh_started_at < ${input.startedBefore})
      )
    order by credentials_expire_at
    limit ${input.limit}`.execute(db);
  return rows.map(toDue);
}

/**
 * Writes down that a refresh begins, before the vendor is asked: of all replicas one gets true, and
 * none once the credentials hold beyond `until` again. Locks the row for this statement only.
 */
export async function beginRefresh(
  tx: DatabaseTransaction,
  organizationId: string,
  id: string,
  { at, until }: { at: Date; until: Date },
): Promise<boolean> {
  const begun = await tx
    .updateTable("integrations")
    .set({ refresh_state: "running", refresh_started_at: at })
    .where("organization_id", "=", organizationId)
    .where("id", "=", id)
    .where("status", "=", "active")
    .where("refresh_state", "=", "idle")
    .where("credentials_expire_at", "<=", until)
    .where((where) =>
      where.or([where("refresh_after", "is", null), where("refresh_after", "<=", at)]),
    )
    .returning("id")
    .executeTakeFirst();
  return begun !== undefined;
}

/** Ends the attempt that began at `startedAt`. Returns false when it is no longer this one that counts. */
export async function endRefresh(
  tx: DatabaseTransaction,
  organizationId: string,
  id: string,
  startedAt: Date,
  outcome: { state: "idle" | "failed"; expiresAt?: Date | null; notBefore?: Date; at: Date },
): Promise<boolean> {
  const ended = await tx
    .updateTable("integrations")
    .set({
      refresh_state: outcome.state,
      refresh_started_at: null,
      refresh_after: outcome.notBefore ?? null,
      updated_at: outcome.at,
      ...(outcome.expiresAt === undefined ? {} : { credentials_expire_at: outcome.expiresAt }),
    })
    .where("organization_id", "=", organizationId)
    .where("id", "=", id)
    .where("status", "<>", "deleted")
    .where("refresh_state", "=", "running")
    .where("refresh_started_at", "=", startedAt)
    .returning("id")
    .executeTakeFirst();
  return ended !== undefined;
}

/** When the attempt under way began; undefined when there is none. */
export async function findRefreshStart(
  db: Reader,
  organizationId: string,
  id: string,
): Promise<Date | undefined> {
  const row = await db
    .selectFrom("integrations")
    .select("refresh_started_at")
    .where("organization_id", "=", organizationId)
    .where("id", "=", id)
    .where("refresh_state", "=", "running")
    .executeTakeFirst();
  return row?.refresh_started_at ?? undefined;
}

/**
 * Moves the credentials of an integration, sealed as they are, to where only its revocation finds
 * them. Returns how many there were.
 */
export async function moveToRevocation(
  tx: DatabaseTransaction,
  organizationId: string,
  integrationId: string,
  at: Date,
): Promise<number> {
  const { rows } = await sql`
    with moved as (
      delete from integration_credentials
      where organization_id = ${organizationId} and integration_id = ${integrationId}
      returning *
    )
    insert into revocation_credentials
      (id, organization_id, integration_id, credential_type, version, format, kek_id, wrapped_dek, ciphertext, created_at)
    select id, organization_id, integration_id, credential_type, version, format, kek_id, wrapped_dek, ciphertext, ${at}
    from moved
    on conflict do nothing
    returning id`.execute(tx);
  return rows.length;
}

export async function listRevocationCredentials(
  db: Reader,
  organizationId: string,
  integrationId: string,
): Promise<readonly SealedCredential[]> {
  const rows = await db
    .selectFrom("revocation_credentials")
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

export async function deleteRevocationCredentials(
  tx: DatabaseTransaction,
  organizationId: string,
  integrationId: string,
): Promise<void> {
  await tx
    .deleteFrom("revocation_credentials")
    .where("organization_id", "=", organizationId)
    .where("integration_id", "=", integrationId)
    .execute();
}

export async function upsertResources(
  tx: DatabaseTransaction,
  organizationId: string,
  integrationId: string,
  resources: readonly Resource[],
  at: Date,
): Promise<void> {
  if (resources.length === 0) return;
  const rows = JSON.stringify(
    resources.map((resource) => ({
      external_id: resource.id,
      kind: resource.kind,
      name: resource.name,
      url: resource.url ?? null,
      permissions: resource.permissions ?? {},
      metadata: resource.metadata ?? {},
    })),
  );
  await sql`
    insert into integration_resources
      (organization_id, integration_id, external_id, kind, name, url, permissions, metadata, synced_at)
    select distinct on (external_id) ${organizationId}::uuid, ${integrationId}::uuid,
      external_id, kind, name, url, permissions, metadata, ${at}::timestamptz
    from jsonb_to_recordset(${rows}::jsonb)
      as listed (external_id text, kind text, name text, url text, permissions jsonb, metadata jsonb)
    on conflict (organization_id, integration_id, external_id) do update set
      kind = excluded.kind, name = excluded.name, url = excluded.url,
      permissions = excluded.permissions, metadata = excluded.metadata, synced_at = excluded.synced_at`.execute(
    tx,
  );
}

/** Ends a listing: what it did not see is gone. */
export async function finishSync(
  tx: DatabaseTransaction,
  organizationId: string,
  integrationId: string,
  at: Date,
): Promise<void> {
  await tx
    .deleteFrom("integration_resources")
    .where("organization_id", "=", organizationId)
    .where("integration_id", "=", integrationId)
    .where("synced_at", "<", at)
    .execute();
  await tx
    .updateTable("integrations")
    .set({ synced_at: at, sync_failure: null })
    .where("organization_id", "=", organizationId)
    .where("id", "=", integrationId)
    .execute();
}

export async function noteSyncFailure(
  tx: DatabaseTransaction,
  organizationId: string,
  integrationId: string,
  failure: string,
): Promise<void> {
  await tx
    .updateTable("integrations")
    .set({ sync_failure: failure.slice(0, 500) })
    .where("organization_id", "=", organizationId)
    .where("id", "=", integrationId)
    .execute();
}

/** By name; `names` of one kind, a page at a time. */
export async function listResources(
  db: Reader,
  organizationId: string,
  integrationId: string,
  page: { after: string; limit: number },
): Promise<readonly Resource[]> {
  const rows = await db
    .selectFrom("integration_resources")
    .select(["external_id", "kind", "name", "url", "permissions", "metadata"])
    .where("organization_id", "=", organizationId)
    .where("integration_id", "=", integrationId)
    .where("external_id", ">", page.after)
    .orderBy("external_id")
    .limit(page.limit)
    .execute();
  return rows.map((row) => ({
    id: row.external_id,
    kind: row.kind,
    name: row.name,
    ...(row.url === null ? {} : { url: row.url }),
    permissions: row.permissions,
    metadata: row.metadata,
  }));
}
