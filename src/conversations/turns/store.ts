import { sql } from "kysely";
import type { Database, DatabaseTransaction } from "#database";
import type { Conversation, Message, Turn, TurnState } from "../model.ts";
import {
  toConversation,
  toMessage,
  type ConversationRow,
  type MessageRow,
  type NewMessage,
} from "../store.ts";

type Reader = Database | DatabaseTransaction;

/** Adds a message that is to be answered, with its turn; false when the conversation has the message already. */
export async function insertQuestion(
  tx: DatabaseTransaction,
  organizationId: string,
  message: NewMessage,
  turn: { readonly id: string; readonly traceId: string },
): Promise<boolean> {
  const { rows } = await sql<{ id: string }>`
    with question as (
      insert into messages (id, organization_id, conversation_id, external_id, author_kind, author_id, author_name,
        text, sent_at, created_at)
      values (${message.id}, ${organizationId}, ${message.conversationId}, ${message.externalId ?? null},
        ${message.author.kind}, ${message.author.id}, ${message.author.name ?? null}, ${message.text},
        ${message.sentAt}, ${message.at})
      on conflict do nothing
      returning id, created_at
    )
    insert into turns (id, organization_id, conversation_id, message_id, trace_id, created_at)
    select ${turn.id}, ${organizationId}, ${message.conversationId}, id, ${turn.traceId}, created_at from question
    returning id`.execute(tx);
  return rows.length === 1;
}

/**
 * What was said before a turn, newest first. An agent's answers to earlier messages count as before,
 * also those that came after the turn's own message: turns of a conversation run one by one.
 */
export async function listHistory(
  db: Reader,
  organizationId: string,
  turnId: string,
  messagesMax: number,
): Promise<readonly Message[]> {
  const { rows } = await sql<MessageRow>`
    select messages.id, external_id, author_kind, author_id, author_name, text, sent_at, messages.created_at
    from turns join messages on messages.organization_id = turns.organization_id
      and messages.conversation_id = turns.conversation_id
    where turns.organization_id = ${organizationId} and turns.id = ${turnId}
      and (messages.id < turns.message_id
        or (messages.id > turns.message_id and author_kind = 'agent' and turn_id is distinct from turns.id))
    -- With the conversation in front only its own index gives this order.
    order by messages.conversation_id desc, messages.id desc
    limit ${messagesMax}`.execute(db);
  return rows.map(toMessage);
}

export interface LeasedTurn {
  readonly turn: Turn;
  readonly conversation: Conversation;
  readonly message: Message;
}

type LeasedRow = TurnRow & {
  readonly conversation: Stored<ConversationRow>;
  readonly message: Stored<MessageRow>;
};

/** A row as JSON: its times are text. */
type Stored<Row> = { [Key in keyof Row]: Row[Key] extends Date ? string : Row[Key] };

/** Marks a turn as running and returns it with what it answers; undefined when it has ended or is not there. */
export async function leaseTurn(
  tx: DatabaseTransaction,
  organizationId: string,
  turnId: string,
  at: Date,
): Promise<LeasedTurn | undefined> {
  const { rows } = await sql<LeasedRow>`
    with leased as (
      update turns set state = 'running', started_at = ${at}
      where organization_id = ${organizationId} and id = ${turnId} and state in ('queued', 'running')
      returning id, trace_id, state, agent, failure, conversation_id, message_id
    )
    select leased.id, leased.trace_id, leased.state, leased.agent, leased.failure,
      to_jsonb(conversations) as conversation, to_jsonb(messages) as message
    from leased
    join conversations on conversations.organization_id = ${organizationId} and conversations.id = leased.conversation_id
    join messages on messages.organization_id = ${organizationId} and messages.id = leased.message_id`.execute(
    tx,
  );
  const [row] = rows;
  if (!row) return undefined;
  const { conversation, message } = row;
  return {
    turn: toTurn(row),
    conversation: toConversation({
      ...conversation,
      created_at: new Date(conversation.created_at),
    }),
    message: toMessage({
      ...message,
      sent_at: new Date(message.sent_at),
      created_at: new Date(message.created_at),
    }),
  };
}

interface TurnRow {
  readonly id: string;
  readonly trace_id: string;
  readonly state: TurnState;
  readonly agent: string | null;
  readonly failure: string | null;
}

function toTurn(row: TurnRow): Turn {
  return {
    id: row.id,
    traceId: row.trace_id,
    state: row.state,
    agent: row.agent ?? undefined,
    failure: row.failure ?? undefined,
  };
}

export async function findTurn(
  db: Reader,
  organizationId: string,
  turnId: string,
): Promise<Turn | undefined> {
  const row = await db
    .selectFrom("turns")
    .select(["id", "trace_id", "state", "agent", "failure"])
    .where("organization_id", "=", organizationId)
    .where("id", "=", turnId)
    .executeTakeFirst();
  return row && toTurn(row);
}

/** How a turn ended. */
export interface TurnOutcome {
  readonly state: "answered" | "failed" | "cancelled";
  readonly agent?: string | undefined;
  readonly failure?: string | undefined;
}

/** Ends a turn once; false when it had ended before. */
export async function endTurn(
  tx: DatabaseTransaction,
  organizationId: string,
  turnId: string,
  outcome: TurnOutcome,
  at: Date,
): Promise<boolean> {
  const result = await tx
    .updateTable("turns")
    .set({
      state: outcome.state,
      agent: outcome.agent ?? null,
      failure: outcome.failure ?? null,
      finished_at: at,
    })
    .where("organization_id", "=", organizationId)
    .where("id", "=", turnId)
    .where("state", "in", ["queued", "running"])
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** The turn that a reply of an agent belongs to: the one that runs, or the one that has just ended. */
export async function findTurnOfReply(
  db: Reader,
  organizationId: string,
  conversationId: string,
  endedAfter: Date,
): Promise<string | undefined> {
  const row = await db
    .selectFrom("turns")
    .select("id")
    .where("organization_id", "=", organizationId)
    .where("conversation_id", "=", conversationId)
    .where((where) =>
      where.or([
        where("state", "=", "running"),
        where.and([where("state", "=", "answered"), where("finished_at", ">", endedAfter)]),
      ]),
    )
    .orderBy(sql`state = 'running'`, "desc")
    .orderBy("id", "desc")
    .limit(1)
    .executeTakeFirst();
  return row?.id;
}

/** The last thing said in a turn. */
export async function findAnswer(
  db: Reader,
  organizationId: string,
  turnId: string,
): Promise<string | undefined> {
  const row = await db
    .selectFrom("messages")
    .select("text")
    .where("organization_id", "=", organizationId)
    .where("turn_id", "=", turnId)
    .orderBy("id", "desc")
    .limit(1)
    .executeTakeFirst();
  return row?.text;
}
