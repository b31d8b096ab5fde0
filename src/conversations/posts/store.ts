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
  /** Notes the attempt at once, so that the caller may post, unless an earlier post is not out yet. */
  readonly beginsPost: boolean;
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
): Promise<{ readonly isEnded: boolean; readonly isSaid: boolean; readonly isBegun: boolean }> {
  const { conversationId, author, ends, at } = reply;
  const gate = ends
    ? sql`update turns set state = ${ends.state}, agent = ${ends.agent ?? null}, failure = ${ends.failure ?? null}, finished_at = ${at}
        where organization_id = ${organizationId} and id = ${reply.turnId ?? null} and state in ('queued', 'running')
        returning id`
    : sql`select 1`;
  const { rows } = await sql<{ ended: number; said: number; begun: boolean }>`
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
    way as (
      select ${reply.beginsPost}::boolean and not exists (
        select from posts where organization_id = ${organizationId} and conversation_id = ${conversationId}
          and state in ('waiting', 'posting')) as is_free
    ),
    parts as (
      insert into posts (id, organization_id, conversation_id, message_id, part, text, state, attempted_at, created_at)
      select part.id, ${organizationId}, ${conversationId}, said.id, part.number - 1, part.text,
        case when is_free then 'posting' else 'waiting' end, case when is_free then ${at}::timestamptz end, ${at}
      from said, way, unnest(${reply.parts.map(({ id }) => id)}::uuid[], ${reply.parts.map(({ text }) => text)}::text[])
        with ordinality as part (id, text, number)
    )
    select (select count(*)::int from gate) as ended, (select count(*)::int from said) as said, is_free as begun
    from way`.execute(tx);
  const [row] = rows;
  const isSaid = row?.said === 1;
  return { isEnded: row?.ended === 1, isSaid, isBegun: isSaid && row.begun };
}

/** Longer than all tries of a post: one that is older is not waited for. */
const TRIES_MS_MAX = 3_600_000;

interface BegunRow {
  readonly is_early: boolean;
  readonly conversation: (Omit<ConversationRow, "created_at"> & { created_at: string }) | null;
  readonly message_id: string;
  readonly conversation_id: string;
  readonly part: number;
  readonly text: string;
  readonly target: PostTarget;
  readonly state: Post["state"];
  readonly attempted_before: Date | null;
}

/**
 * Takes a post for one attempt and says what the row held before: `attemptedAt` tells whether an
 * earlier attempt may have been performed. Undefined when it has ended or is not there; "too early"
 * while something said before it in its conversation is not out.
 */
export async function beginAttempt(
  tx: DatabaseTransaction,
  organizationId: string,
  postId: string,
  at: Date,
): Promise<{ post: Post; conversation: Conversation } | "too early" | undefined> {
  const { rows } = await sql<BegunRow>`
    with held as (
      select id, attempted_at, exists (
        select from posts as earlier
        where earlier.organization_id = ${organizationId} and earlier.conversation_id = posts.conversation_id
          and earlier.id < posts.id and earlier.state in ('waiting', 'posting')
          and earlier.created_at > ${new Date(at.getTime() - TRIES_MS_MAX)}
      ) as is_early
      from posts
      where organization_id = ${organizationId} and id = ${postId} and state in ('waiting', 'posting')
      for update
    ), begun as (
      update posts set state = 'posting', attempted_at = coalesce(held.attempted_at, ${at})
      from held, conversations
      where posts.id = held.id and not held.is_early
        and conversations.organization_id = posts.organization_id and conversations.id = posts.conversation_id
      returning to_jsonb(conversations) as conversation, posts.id, posts.message_id, posts.conversation_id, posts.part,
        posts.text, posts.target, posts.state, held.attempted_at as attempted_before
    )
    select held.is_early, begun.* from held left join begun on begun.id = held.id`.execute(tx);
  const [row] = rows;
  if (row?.is_early) return "too early";
  if (!row?.conversation) return undefined;
  const post = {
    id: postId,
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

/** What a turn said and nobody knows to be posted. */
export async function listUnposted(
  db: Reader,
  organizationId: string,
  turnId: string,
): Promise<readonly { readonly id: string; readonly conversationId: string }[]> {
  const rows = await db
    .selectFrom("posts")
    .innerJoin("messages", "messages.id", "posts.message_id")
    .select(["posts.id", "posts.conversation_id as conversationId"])
    .where("posts.organization_id", "=", organizationId)
    .where("messages.organization_id", "=", organizationId)
    .where("messages.turn_id", "=", turnId)
    .where("posts.state", "in", ["waiting", "posting"])
    .orderBy("posts.id")
    .limit(1_000)
    .execute();
  return rows;
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
