import { sql } from "kysely";
import type { Database, DatabaseTransaction } from "#database";
import type { StoredDelivery } from "../model.ts";

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

/**
 * Stores anew what was given up and is now delivered again: the vendor's second try is the
 * operator's replay. Returns the rows that wait to be understood once more.
 */
export async function reviveDeadDeliveries(
  tx: DatabaseTransaction,
  rows: readonly Pick<NewInboxRow, "connectorId" | "deliveryId">[],
): Promise<readonly { id: string; orderKey: string }[]> {
  const { rows: revived } = await sql<{ id: string; order_key: string }>`
    update inbox set state = 'stored', detail = null, handled_at = null
    where (connector_type, delivery_id) in (
      select * from unnest(${rows.map((row) => row.connectorId)}::text[], ${rows.map((row) => row.deliveryId)}::text[])
    ) and state = 'dead'
    returning id, order_key`.execute(tx);
  return revived.map((row) => ({ id: row.id, orderKey: row.order_key }));
}

/** When a delivery of a connector was last stored. */
export async function findLastReceivedAt(
  db: Reader,
  connectorId: string,
): Promise<Date | undefined> {
  const row = await db
    .selectFrom("inbox")
    .select("received_at")
    .where("connector_type", "=", connectorId)
    .orderBy("received_at", "desc")
    .limit(1)
    .executeTakeFirst();
  return row?.received_at;
}

/** Forgets what arrived before `before`, but for what still waits; at most `limit` rows. Returns how many. */
export async function deleteOldDeliveries(
  tx: DatabaseTransaction,
  { before, limit }: { before: Date; limit: number },
): Promise<number> {
  const { numAffectedRows = 0n } = await sql`
    delete from inbox where id in (
      select id from inbox
      where received_at < ${before} and state <> 'stored'
      order by received_at
      limit ${limit}
      for update skip locked
    )`.execute(tx);
  return Number(numAffectedRows);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Without the bodies that are larger than `bodyBytesMax`: several at once would be a lot of memory. */
export async function listDeliveries(
  db: Reader,
  ids: readonly string[],
  { bodyBytesMax }: { readonly bodyBytesMax: number },
): Promise<readonly (Omit<StoredDelivery, "body"> & { readonly body: Buffer | undefined })[]> {
  const { rows } = await sql<DeliveryRow>`
    select id, organization_id, connector_type, account_id, delivery_id, message_key, order_key, kind,
      case when octet_length(body) <= ${bodyBytesMax} then body end as body, state
    from inbox
    where id = any(${ids}::uuid[])`.execute(db);
  return rows.map((row) => ({
    id: row.id,
    organizationId: row.organization_id ?? undefined,
    connectorId: row.connector_type,
    accountId: row.account_id,
    deliveryId: row.delivery_id,
    messageKey: row.message_key ?? undefined,
    orderKey: row.order_key,
    kind: row.kind,
    body: row.body ?? undefined,
    state: row.state,
  }));
}

interface DeliveryRow {
  readonly id: string;
  readonly organization_id: string | null;
  readonly connector_type: string;
  readonly account_id: string;
  readonly delivery_id: string;
  readonly message_key: string | null;
  readonly order_key: string;
  readonly kind: string;
  readonly body: Buffer | null;
  readonly state: StoredDelivery["state"];
}

export interface DeliveryOutcome {
  readonly state: "handled" | "ignored" | "dead";
  readonly detail?: string;
  /** Undefined leaves it as it was. */
  readonly organizationId?: string;
  readonly at: Date;
}

export async function markDeliveries(
  db: Reader,
  outcomes: readonly { readonly id: string; readonly outcome: DeliveryOutcome }[],
): Promise<void> {
  // Arrays, not JSON: of those the planner expects few rows and looks each up by its key.
  await sql`
    update inbox
    set state = o.state, detail = o.detail, handled_at = o.at,
      organization_id = coalesce(o.organization_id, inbox.organization_id)
    from unnest(${outcomes.map(({ id }) => id)}::uuid[],
      ${outcomes.map(({ outcome }) => outcome.state)}::text[],
      ${outcomes.map(({ outcome }) => outcome.detail ?? null)}::text[],
      ${outcomes.map(({ outcome }) => outcome.organizationId ?? null)}::uuid[],
      ${outcomes.map(({ outcome }) => outcome.at)}::timestamptz[])
      as o (id, state, detail, organization_id, at)
    where inbox.id = o.id`.execute(db);
}
