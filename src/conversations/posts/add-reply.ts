import { sqlExecutor, type DatabaseTransaction } from "#database";
import type { Clock, Ids, Queue } from "#platform";
import { textHashOf, type Author, type Conversation } from "../model.ts";
import type { PostJob } from "./post-message.ts";
import { insertReply, type Post } from "./store.ts";
import type { TurnOutcome } from "../turns/store.ts";

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
  /** What it answers, shown above it where no thread shows it. */
  readonly quoted?: string | undefined;
  /** Ends the turn with it. */
  readonly ends?: TurnOutcome | undefined;
  /** The caller posts it itself where that is possible: see `toPost`. */
  readonly isPostedByCaller?: boolean;
}

export interface AddedReply {
  readonly messageId: string;
  readonly isEnded: boolean;
  readonly isSaid: boolean;
  /** What the caller is to post now; nothing where jobs do. */
  readonly toPost: Post | undefined;
  /** The caller may not post it, because an earlier one is not out yet, and no job does so far. */
  readonly needsJob: boolean;
}

/**
 * Adds what is said to the conversation and, in a chat, to what is to be posted; ends its turn where
 * asked. Saying it again changes nothing. Its statements do not wait for each other: a job whose post
 * was not added finds nothing to do.
 */
export async function addReply(
  deps: ReplyDeps,
  tx: DatabaseTransaction,
  reply: NewReply,
): Promise<AddedReply> {
  const { conversation, author, text, turnId, externalId, ends } = reply;
  const { organizationId } = conversation;
  const messageId = deps.ids();
  const isChat = conversation.channelId !== undefined;
  const parts = isChat
    ? deps.split(withQuote(text, reply.quoted)).map((part) => ({ id: deps.ids(), text: part }))
    : [];
  const [only] = parts;
  // Several parts wait for each other, and may need the thread that the first opens.
  const isByCaller = reply.isPostedByCaller === true && parts.length === 1;
  const queued = isByCaller ? [] : parts;
  const [{ isEnded, isSaid, isBegun }] = await Promise.all([
    insertReply(tx, organizationId, {
      messageId,
      conversationId: conversation.id,
      author,
      text,
      externalId,
      turnId,
      textHash: turnId ? textHashOf(text) : undefined,
      parts,
      beginsPost: isByCaller,
      ends,
      at: deps.clock.now(),
    }),
    deps.posts.enqueue(
      sqlExecutor(tx),
      queued.map(({ id }) => ({ id, key: conversation.id, data: { organizationId, postId: id } })),
    ),
  ]);
  const toPost = isBegun && only ? begunPost(only, messageId, conversation) : undefined;
  return { messageId, isEnded, isSaid, toPost, needsJob: isByCaller && isSaid && !isBegun };
}

function begunPost(
  { id, text }: { readonly id: string; readonly text: string },
  messageId: string,
  conversation: Conversation,
): Post {
  return {
    id,
    messageId,
    conversationId: conversation.id,
    part: 0,
    text,
    target: "conversation",
    state: "posting",
    attemptedAt: undefined,
  };
}

const QUOTE_CHARACTERS_MAX = 500;

function withQuote(text: string, quoted: string | undefined): string {
  if (quoted === undefined) return text;
  const isLong = quoted.length > QUOTE_CHARACTERS_MAX;
  const shown = isLong ? `${quoted.slice(0, QUOTE_CHARACTERS_MAX)} …` : quoted;
  return `> ${shown.replaceAll("\n", "\n> ")}\n\n${text}`;
}
