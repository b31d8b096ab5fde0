import { sqlExecutor, type DatabaseTransaction } from "#database";
import type { Clock, Ids, Queue } from "#platform";
import { textHashOf, type Author, type Conversation } from "../model.ts";
import type { PostJob } from "./post-message.ts";
import { insertReply } from "./store.ts";
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
): Promise<{ readonly messageId: string; readonly isEnded: boolean; readonly isSaid: boolean }> {
  const { conversation, author, text, turnId, externalId, ends } = reply;
  const { organizationId } = conversation;
  const messageId = deps.ids();
  const isChat = conversation.channelId !== undefined;
  const parts = isChat
    ? deps.split(withQuote(text, reply.quoted)).map((part) => ({ id: deps.ids(), text: part }))
    : [];
  const [outcome] = await Promise.all([
    insertReply(tx, organizationId, {
      messageId,
      conversationId: conversation.id,
      author,
      text,
      externalId,
      turnId,
      textHash: turnId ? textHashOf(text) : undefined,
      parts,
      ends,
      at: deps.clock.now(),
    }),
    deps.posts.enqueue(
      sqlExecutor(tx),
      parts.map(({ id }) => ({ id, key: conversation.id, data: { organizationId, postId: id } })),
    ),
  ]);
  return { messageId, ...outcome };
}

const QUOTE_CHARACTERS_MAX = 500;

function withQuote(text: string, quoted: string | undefined): string {
  if (quoted === undefined) return text;
  const isLong = quoted.length > QUOTE_CHARACTERS_MAX;
  const shown = isLong ? `${quoted.slice(0, QUOTE_CHARACTERS_MAX)} …` : quoted;
  return `> ${shown.replaceAll("\n", "\n> ")}\n\n${text}`;
}
