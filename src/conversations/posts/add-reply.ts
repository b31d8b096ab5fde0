import { sqlExecutor, type DatabaseTransaction } from "#database";
import type { Clock, Ids, Queue } from "#platform";
import { textHashOf, type Author, type Conversation } from "../model.ts";
import { findTwin, insertMessage } from "../store.ts";
import type { PostJob } from "./post-message.ts";
import { insertPosts } from "./store.ts";

export interface ReplyDeps {
  readonly ids: Ids;
  readonly clock: Clock;
  readonly posts: Queue<PostJob>;
  /** Cuts a text into parts that the surface takes whole. */
  readonly split: (markdown: string) => readonly string[];
}

export interface NewReply {
  readonly conversation: Conversation;
  readonly author: Author;
  readonly text: string;
  /** The turn in which it is said: one turn says one text once. */
  readonly turnId?: string | undefined;
  readonly externalId?: string | undefined;
}

/** Adds what is said to the conversation and, in a chat, to what is to be posted. Saying it again changes nothing. */
export async function addReply(
  deps: ReplyDeps,
  tx: DatabaseTransaction,
  reply: NewReply,
): Promise<{ readonly messageId: string; readonly isNew: boolean }> {
  const { conversation, author, text, turnId, externalId } = reply;
  const { organizationId } = conversation;
  const at = deps.clock.now();
  const messageId = deps.ids();
  const identity = { externalId, turnId, textHash: turnId ? textHashOf(text) : undefined };
  const isNew = await insertMessage(tx, organizationId, {
    id: messageId,
    conversationId: conversation.id,
    author,
    text,
    ...identity,
    sentAt: at,
    at,
  });
  if (!isNew) {
    const twin = await findTwin(tx, organizationId, {
      conversationId: conversation.id,
      ...identity,
    });
    return { messageId: twin?.messageId ?? messageId, isNew: false };
  }
  if (conversation.channelId === undefined) return { messageId, isNew };
  const parts = deps.split(text).map((part) => ({ id: deps.ids(), text: part }));
  await insertPosts(tx, organizationId, { conversationId: conversation.id, messageId, parts, at });
  await deps.posts.enqueue(
    sqlExecutor(tx),
    parts.map(({ id }) => ({ id, key: conversation.id, data: { organizationId, postId: id } })),
  );
  return { messageId, isNew };
}
