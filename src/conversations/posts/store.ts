import { sql } from "kysely";
import type { Database, DatabaseTransaction } from "#database";
import type { Author, Conversation } from "../model.ts";
import { toConversation, type ConversationRow } from "../store.ts";
import type { TurnOutcome } from "../turns/store.ts";

type Reader = Database | DatabaseTransaction;

type PostTarget = "conversation" | "fallback";

/** One part of a message on its way to a chat. */
export interface Post {
  readonly id: string;
  readonly messageId: string;
  readonly conversationId: string;
  readonly part: number;
  readonly text: string;
  readonly target: PostTarget;
  readonly state: "waiting" | "posting" | "posted" | "failed";
  /** Set when an earlier attempt may have been performed. */
  readonly attemptedAt: Date | undefined;
}

export interface NewReplyRow {
  readonly messageId: string;
  readonly conversationId: string;
  readonly author: Author;
  readonly text: string;
  readonly externalId: string | undefined;
  readonly turnId: string | undefined;
  readonly textHash: string | undefined;
  /** How it goes out; none where the surface has no chat. */
  readonly parts: readonly { readonly id: string; readonly text: string }[];
  /** Ends the turn with it: said only if the turn had not ended. */
  readonly ends?: TurnOutcome | undefined;
  readonly at: Date;
}

/**
 * Adds a message of ours and its posts, and ends its turn where asked, in one statement. `isEnded` is
 * false when the turn had ended before, `isSaid` when the conversation or the turn has the text already;
 * then nothing is added.
 */
export async function insertReply(
  tx: DatabaseTransaction,
  organizationId: string,
  reply: NewReplyRow,
): Promise<{ readonly isEnded: boolean; readonly isSaid: boolean }> {
  const { conversationId, author, ends, at } = reply;
  const gate = ends
    ? sql`update turns set state = ${ends.state}, agent = ${ends.agent ?? null}, failure = ${ends.failure ?? null}, finished_at = ${at}
        where organization_id = ${organizationId} and id = ${reply.turnId ?? null} and state in ('queued', 'running')
        returning id`
    : sql`select 1`;
  const { rows } = await sql<{ ended: number; said: number }>`
    with gate as (${gate}),
    said as (
      insert into messages (id, organization_id, conversation_id, external_id, author_kind, author_id, author_name,
        text, turn_id, text_hash, sent_at, created_at)
      select ${reply.messageId}, ${organizationId}, ${conversationId}, ${reply.externalId ?? null}, ${author.kind},
        ${author.id}, ${author.name ?? null}, ${reply.text}, ${reply.turnId ?? null}, ${reply.textHash ?? null}, ${at}, ${at}
      from gate
      on conflict do nothing
      returning id
    ),
    parts as (
      insert into posts (id, organization_id, conversation_id, message_id, part, text, created_at)
      select part.id, ${organizationId}, ${conversationId}, said.id, part.number - 1, part.text, ${at}
      from said, unnest(${reply.parts.map(({ id }) => id)}::uuid[], ${reply.parts.map(({ text }) => text)}::text[])
        with ordinality as part (id, text, number)
    )
    select (select count(*)::int from gate) as ended, (select count(*)::int from said) as said`.execute(
    tx,
  );
  const [row] = rows;
  return { isEnded: row?.ended === 1, isSaid: row?.said === 1 };
}

/**
 * Takes a post for one attempt and says what the row held before: `attemptedAt` tells whether an
 * earlier attempt may have been performed. Undefined when it has ended or is not there.
 */
export async function beginAttempt(
  tx: DatabaseTransaction,
  organizationId: string,
  postId: string,
  at: Date,
): Promise<{ readonly post: Post; readonly conversation: Conversation } | undefined> {
  const { rows } = await sql<{
    conversation: Omit<ConversationRow, "created_at"> & { readonly created_at: string };
    id: string;
    message_id: string;
    conversation_id: string;
    part: number;
    text: string;
    target: PostTarget;
    state: Post["state"];
    attempted_before: Date | null;
  }>`
    with held as (
      select id, attempted_at from posts
      where organization_id = ${organizationId} and id = ${postId} and state in ('waiting', 'posting')
      for update
    )
    update posts set state = 'posting', attempted_at = coalesce(held.attempted_at, ${at})
    from held, conversations
    where posts.id = held.id
      and conversations.organization_id = posts.organization_id and conversations.id = posts.conversation_id
    returning to_jsonb(conversations) as conversation, posts.id, posts.message_id, posts.conversation_id, posts.part, posts.text, posts.target, posts.state,
      held.attempted_at as attempted_before`.execute(tx);
  const [row] = rows;
  if (!row) return undefined;
  const post = {
    id: row.id,
    messageId: row.message_id,
    conversationId: row.conversation_id,
    part: row.part,
    text: row.text,
    target: row.target,
    state: row.state,
    attemptedAt: row.attempted_before ?? undefined,
  };
  const createdAt = new Date(row.conversation.created_at);
  return { post, conversation: toConversation({ ...row.conversation, created_at: createdAt }) };
}

/** The attempt was not performed: the next one need not look for it. */
export async function forgetAttempt(
  db: Reader,
  organizationId: string,
  postId: string,
): Promise<void> {
  await db
    .updateTable("posts")
    .set({ state: "waiting", attempted_at: null })
    .where("organization_id", "=", organizationId)
    .where("id", "=", postId)
    .where("state", "=", "posting")
    .execute();
}

/** The conversation's channel refused the post: it goes to the person who asked. */
export async function redirectPost(
  db: Reader,
  organizationId: string,
  postId: string,
  text: string,
): Promise<void> {
  await db
    .updateTable("posts")
    .set({ state: "waiting", attempted_at: null, target: "fallback", text })
    .where("organization_id", "=", organizationId)
    .where("id", "=", postId)
    .execute();
}

/** Puts another text in the place of one that the vendor will never take. */
export async function replaceText(
  db: Reader,
  organizationId: string,
  postId: string,
  text: string,
): Promise<void> {
  await db
    .updateTable("posts")
    .set({ state: "waiting", attempted_at: null, text })
    .where("organization_id", "=", organizationId)
    .where("id", "=", postId)
    .execute();
}

/** Notes where a post is now; the first part's place is its message's. The statements do not wait for each other. */
export async function markPosted(
  tx: DatabaseTransaction,
  organizationId: string,
  post: Pick<Post, "id" | "messageId" | "part" | "target">,
  input: { externalId: string; at: Date },
): Promise<void> {
  const marked = tx
    .updateTable("posts")
    .set({ state: "posted", external_id: input.externalId, posted_at: input.at })
    .where("organization_id", "=", organizationId)
    .where("id", "=", post.id)
    .execute();
  if (post.part > 0 || post.target === "fallback") return void (await marked);
  const placed = tx
    .updateTable("messages")
    .set({ external_id: input.externalId })
    .where("organization_id", "=", organizationId)
    .where("id", "=", post.messageId)
    .where("external_id", "is", null)
    .execute();
  await Promise.all([marked, placed]);
}

export async function markFailed(
  db: Reader,
  organizationId: string,
  postId: string,
  failure: string,
): Promise<void> {
  await db
    .updateTable("posts")
    .set({ state: "failed", failure })
    .where("organization_id", "=", organizationId)
    .where("id", "=", postId)
    .where("state", "<>", "posted")
    .execute();
}
