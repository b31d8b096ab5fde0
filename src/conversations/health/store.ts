import { sql } from "kysely";
import type { Database, DatabaseTransaction } from "#database";

type Reader = Database | DatabaseTransaction;

/** The message that tells the owners of an integration how it is. */
export interface HealthCard {
  /** New for each time that something goes wrong; the idempotency key of its post. */
  readonly id: string;
  readonly chatIntegrationId: string;
  readonly channelId: string;
  /** Undefined while the post may or may not exist. */
  readonly messageId: string | undefined;
  /** What it says now; "" before it says anything. */
  readonly shownStatus: string;
  readonly createdAt: Date;
}

export async function findCard(
  db: Reader,
  organizationId: string,
  integrationId: string,
): Promise<HealthCard | undefined> {
  const row = await db
    .selectFrom("health_cards")
    .select(["id", "chat_integration_id", "channel_id", "message_id", "shown_status", "created_at"])
    .where("organization_id", "=", organizationId)
    .where("integration_id", "=", integrationId)
    .executeTakeFirst();
  return (
    row && {
      id: row.id,
      chatIntegrationId: row.chat_integration_id,
      channelId: row.channel_id,
      messageId: row.message_id ?? undefined,
      shownStatus: row.shown_status,
      createdAt: row.created_at,
    }
  );
}

/** Begins a card in the place of the last one. */
export async function replaceCard(
  tx: DatabaseTransaction,
  organizationId: string,
  integrationId: string,
  card: Pick<HealthCard, "id" | "chatIntegrationId" | "channelId" | "createdAt">,
): Promise<void> {
  const { id, chatIntegrationId, channelId, createdAt } = card;
  await sql`
    insert into health_cards
      (integration_id, organization_id, id, chat_integration_id, channel_id, shown_status, created_at, updated_at)
    values (${integrationId}, ${organizationId}, ${id}, ${chatIntegrationId}, ${channelId}, '', ${createdAt}, ${createdAt})
    on conflict (integration_id) do update set
      id = excluded.id, chat_integration_id = excluded.chat_integration_id, channel_id = excluded.channel_id,
      message_id = null, shown_status = '', created_at = excluded.created_at, updated_at = excluded.updated_at
    where health_cards.organization_id = excluded.organization_id`.execute(tx);
}

export async function noteShown(
  tx: DatabaseTransaction,
  organizationId: string,
  integrationId: string,
  shown: { messageId: string; status: string; at: Date },
): Promise<void> {
  await tx
    .updateTable("health_cards")
    .set({ message_id: shown.messageId, shown_status: shown.status, updated_at: shown.at })
    .where("organization_id", "=", organizationId)
    .where("integration_id", "=", integrationId)
    .execute();
}
