import { sql } from "kysely";
import type { Database, DatabaseTransaction } from "#database";

type Reader = Database | DatabaseTransaction;

export type PostTarget = "conversation" | "fallback";

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

export async function insertPosts(
  tx: DatabaseTransaction,
  organizationId: string,
  input: {
    conversationId: string;
    messageId: string;
    parts: readonly { id: string; text: string }[];
    at: Date;
  },
): Promise<void> {
  if (input.parts.length === 0) return;
  await tx
    .insertInto("posts")
    .values(
      input.parts.map((part, index) => ({
        id: part.id,
        organization_id: organizationId,
        conversation_id: input.conversationId,
        message_id: input.messageId,
        part: index,
        text: part.text,
        created_at: input.at,
      })),
    )
    .execute();
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
): Promise<Post | undefined> {
  const { rows } = await sql<{
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
    from held where posts.id = held.id
    returning posts.id, posts.message_id, posts.conversation_id, posts.part, posts.text, posts.target, posts.state,
      held.attempted_at as attempted_before`.execute(tx);
  const [row] = rows;
  if (!row) return undefined;
  return {
    id: row.id,
    messageId: row.message_id,
    conversationId: row.conversation_id,
    part: row.part,
    text: row.text,
    target: row.target,
    state: row.state,
    attemptedAt: row.attempted_before ?? undefined,
  };
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

export async function markPosted(
  tx: DatabaseTransaction,
  organizationId: string,
  post: Pick<Post, "id" | "messageId" | "part" | "target">,
  input: { externalId: string; at: Date },
): Promise<void> {
  await tx
    .updateTable("posts")
    .set({ state: "posted", external_id: input.externalId, posted_at: input.at })
    .where("organization_id", "=", organizationId)
    .where("id", "=", post.id)
    .execute();
  if (post.part > 0 || post.target === "fallback") return;
  await tx
    .updateTable("messages")
    .set({ external_id: input.externalId })
    .where("organization_id", "=", organizationId)
    .where("id", "=", post.messageId)
    .where("external_id", "is", null)
    .execute();
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
