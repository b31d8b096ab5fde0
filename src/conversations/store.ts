import { sql } from "kysely";
import type { Database, DatabaseTransaction } from "#database";
import type { Author, Conversation, Message, Monitoring, Surface } from "./model.ts";

type Reader = Database | DatabaseTransaction;

const CONVERSATION_COLUMNS = [
  "conversations.id",
  "conversations.organization_id",
  "conversations.surface",
  "conversations.external_key",
  "conversations.integration_id",
  "conversations.channel_id",
  "conversations.thread_id",
  "conversations.fallback_channel_id",
  "conversations.created_at",
] as const;

export interface ConversationRow {
  id: string;
  organization_id: string;
  surface: Surface;
  external_key: string;
  integration_id: string | null;
  channel_id: string | null;
  thread_id: string | null;
  fallback_channel_id: string | null;
  created_at: Date;
}

export function toConversation(row: ConversationRow): Conversation {
  return {
    id: row.id,
    organizationId: row.organization_id,
    surface: row.surface,
    externalKey: row.external_key,
    integrationId: row.integration_id ?? undefined,
    channelId: row.channel_id ?? undefined,
    threadId: row.thread_id ?? undefined,
    fallbackChannelId: row.fallback_channel_id ?? undefined,
    createdAt: row.created_at,
  };
}

export async function findConversation(
  db: Reader,
  organizationId: string,
  id: string,
): Promise<Conversation | undefined> {
  const row = await db
    .selectFrom("conversations")
    .select(CONVERSATION_COLUMNS)
    .where("organization_id", "=", organizationId)
    .where("id", "=", id)
    .executeTakeFirst();
  return row && toConversation(row);
}

/** What decides whether a message is answered, in one look. */
export async function findContext(
  db: Reader,
  organizationId: string,
  key: { surface: Surface; externalKey: string; integrationId: string; channelId: string },
): Promise<{ conversationId: string | undefined; monitoring: Monitoring }> {
  const { rows } = await sql<{ conversation_id: string | null; monitoring: Monitoring | null }>`
    select
      (select id from conversations where organization_id = ${organizationId} and surface = ${key.surface}
        and external_key = ${key.externalKey}) as conversation_id,
      (select monitoring from channels where organization_id = ${organizationId}
        and integration_id = ${key.integrationId} and external_id = ${key.channelId}) as monitoring`.execute(
    db,
  );
  const row = rows[0];
  return {
    conversationId: row?.conversation_id ?? undefined,
    monitoring: row?.monitoring ?? "off",
  };
}

export interface NewConversation {
  readonly id: string;
  readonly surface: Surface;
  readonly externalKey: string;
  readonly integrationId?: string | undefined;
  readonly channelId?: string | undefined;
  readonly threadId?: string | undefined;
  readonly fallbackChannelId?: string | undefined;
  readonly at: Date;
}

/** The conversation of a key, made if it is not there. Its row stays locked until the end of the transaction. */
export async function openConversation(
  tx: DatabaseTransaction,
  organizationId: string,
  input: NewConversation,
): Promise<Conversation> {
  const { rows } = await sql<ConversationRow>`
    insert into conversations
      (id, organization_id, integration_id, surface, external_key, channel_id, thread_id, fallback_channel_id, created_at, updated_at)
    values (${input.id}, ${organizationId}, ${input.integrationId ?? null}, ${input.surface}, ${input.externalKey},
      ${input.channelId ?? null}, ${input.threadId ?? null}, ${input.fallbackChannelId ?? null}, ${input.at}, ${input.at})
    on conflict (organization_id, surface, external_key) do update set
      updated_at = excluded.updated_at,
      fallback_channel_id = coalesce(excluded.fallback_channel_id, conversations.fallback_channel_id)
    returning id, organization_id, surface, external_key, integration_id, channel_id, thread_id,
      fallback_channel_id, created_at`.execute(tx);
  const [row] = rows;
  if (!row) throw new Error("An upsert of a conversation returned no row.");
  return toConversation(row);
}

/** Gives a conversation that began with a command the thread that its first answer opened. */
export async function bindThread(
  tx: DatabaseTransaction,
  organizationId: string,
  conversationId: string,
  thread: { threadId: string; externalKey: string },
): Promise<void> {
  await tx
    .updateTable("conversations")
    .set({ thread_id: thread.threadId, external_key: thread.externalKey })
    .where("organization_id", "=", organizationId)
    .where("id", "=", conversationId)
    .where("thread_id", "is", null)
    .execute();
}

export async function rememberChannel(
  tx: DatabaseTransaction,
  organizationId: string,
  input: { id: string; integrationId: string; externalId: string; kind: string; at: Date },
): Promise<void> {
  await sql`
    insert into channels (id, organization_id, integration_id, external_id, kind, created_at, updated_at)
    values (${input.id}, ${organizationId}, ${input.integrationId}, ${input.externalId}, ${input.kind}, ${input.at}, ${input.at})
    on conflict (integration_id, external_id) do nothing`.execute(tx);
}

export async function setMonitoring(
  tx: DatabaseTransaction,
  organizationId: string,
  input: {
    id: string;
    integrationId: string;
    externalId: string;
    kind: string;
    monitoring: Monitoring;
    at: Date;
  },
): Promise<void> {
  await sql`
    insert into channels (id, organization_id, integration_id, external_id, kind, monitoring, created_at, updated_at)
    values (${input.id}, ${organizationId}, ${input.integrationId}, ${input.externalId}, ${input.kind},
      ${input.monitoring}, ${input.at}, ${input.at})
    on conflict (integration_id, external_id) do update set
      monitoring = excluded.monitoring, updated_at = excluded.updated_at`.execute(tx);
}

export interface NewMessage {
  readonly id: string;
  readonly conversationId: string;
  readonly externalId?: string | undefined;
  readonly author: Author;
  readonly text: string;
  readonly turnId?: string | undefined;
  readonly textHash?: string | undefined;
  readonly sentAt: Date;
  readonly at: Date;
}

/** Inserts a message and returns true; false when the conversation or the turn has it already. */
export async function insertMessage(
  tx: DatabaseTransaction,
  organizationId: string,
  input: NewMessage,
): Promise<boolean> {
  const { rows } = await sql<{ id: string }>`
    insert into messages (id, organization_id, conversation_id, external_id, author_kind, author_id, author_name,
      text, turn_id, text_hash, sent_at, created_at)
    values (${input.id}, ${organizationId}, ${input.conversationId}, ${input.externalId ?? null},
      ${input.author.kind}, ${input.author.id}, ${input.author.name ?? null}, ${input.text},
      ${input.turnId ?? null}, ${input.textHash ?? null}, ${input.sentAt}, ${input.at})
    on conflict do nothing
    returning id`.execute(tx);
  return rows.length === 1;
}

/** The message that an insert found in its place. */
export async function findTwin(
  db: Reader,
  organizationId: string,
  input: {
    conversationId: string;
    externalId?: string | undefined;
    turnId?: string | undefined;
    textHash?: string | undefined;
  },
): Promise<{ messageId: string; turnId: string | undefined } | undefined> {
  const { rows } = await sql<{ id: string; turn_id: string | null }>`
    select messages.id, turns.id as turn_id
    from messages left join turns on turns.message_id = messages.id
    where messages.organization_id = ${organizationId} and messages.conversation_id = ${input.conversationId}
      and (messages.external_id = ${input.externalId ?? null}
        or (messages.turn_id = ${input.turnId ?? null} and messages.text_hash = ${input.textHash ?? null}))
    limit 1`.execute(db);
  const [row] = rows;
  return row && { messageId: row.id, turnId: row.turn_id ?? undefined };
}

export interface MessageRow {
  id: string;
  external_id: string | null;
  author_kind: Author["kind"];
  author_id: string;
  author_name: string | null;
  text: string;
  sent_at: Date;
  created_at: Date;
}

export function toMessage(row: MessageRow): Message {
  return {
    id: row.id,
    externalId: row.external_id ?? undefined,
    author: { kind: row.author_kind, id: row.author_id, name: row.author_name ?? undefined },
    text: row.text,
    sentAt: row.sent_at,
    createdAt: row.created_at,
  };
}

/** Newest first. */
export async function listMessages(
  db: Reader,
  organizationId: string,
  conversationId: string,
  page: { beforeId?: string | undefined; messagesMax: number },
): Promise<readonly Message[]> {
  let query = db
    .selectFrom("messages")
    .select([
      "id",
      "external_id",
      "author_kind",
      "author_id",
      "author_name",
      "text",
      "sent_at",
      "created_at",
    ])
    .where("organization_id", "=", organizationId)
    .where("conversation_id", "=", conversationId);
  if (page.beforeId) query = query.where("id", "<", page.beforeId);
  const rows = await query
    // With the conversation in front only its own index gives this order.
    .orderBy("conversation_id", "desc")
    .orderBy("id", "desc")
    .limit(page.messagesMax)
    .execute();
  return rows.map(toMessage);
}
