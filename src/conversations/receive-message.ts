import type { InboundMessage } from "@infragpt/connector-kit";
import {
  deadline,
  traceIdOf,
  type Abortable,
  type Clock,
  type Ids,
  type Log,
  type Queue,
} from "#platform";
import { queryTenant, sqlExecutor, type Database, type DatabaseTransaction } from "#database";
import type { Integrations, MessageReceived } from "#integrations";
import type { TurnJob } from "./turns/answer-message.ts";
import { HISTORY_LIMITS, TEXT_LIMITS, isAnswered, type Author } from "./model.ts";
import { findContext, insertMessage, openConversation, rememberChannel } from "./store.ts";
import { insertQuestion } from "./turns/store.ts";

/** Reading an old thread delays its first answer by this at most. */
const READ_THREAD_TIMEOUT_MS = 15_000;

export interface ReceiveDeps {
  readonly db: Database;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly log: Log;
  readonly turns: Queue<TurnJob>;
  readonly integrations: Pick<Integrations, "connections">;
}

interface EarlierMessage {
  readonly externalId: string;
  readonly author: Author;
  readonly text: string;
  readonly sentAt: Date;
}

/**
 * Turns a message of a chat into a turn to be answered: conversation, message, turn and job in one
 * transaction. Run again with the same message it changes nothing.
 */
export async function receiveMessage(
  deps: ReceiveDeps,
  event: MessageReceived,
  { signal }: Abortable,
): Promise<"handled" | "ignored"> {
  const { integration, message } = event;
  const { organizationId } = integration;
  const externalKey = `${integration.profile.accountId}:${message.channel.id}:${message.threadId}`;
  const context = await queryTenant(deps.db, organizationId, (tx) =>
    findContext(tx, organizationId, {
      surface: "slack",
      externalKey,
      integrationId: integration.id,
      channelId: message.channel.id,
    }),
  );
  const isKnownThread = context.conversationId !== undefined;
  const isToBeAnswered = isAnswered(message, { isKnownThread, monitoring: context.monitoring });
  // What others say in a thread we take part in is context for the next answer.
  if (!isToBeAnswered && !isKnownThread) return "ignored";

  const earlier = message.isReply && !isKnownThread ? await readThread(deps, event, signal) : [];
  await queryTenant(deps.db, organizationId, (tx) =>
    addThreadMessage(deps, tx, event, {
      conversationId: context.conversationId ?? deps.ids(),
      externalKey,
      earlier,
      isToBeAnswered,
    }),
  );
  deps.turns.wake();
  return isToBeAnswered ? "handled" : "ignored";
}

/**
 * Adds the message and all it needs; the statements do not wait for each other. Should the thread's
 * conversation have come under another id meanwhile, the message refers to none and all of it is undone:
 * the job runs again and finds it.
 */
async function addThreadMessage(
  deps: ReceiveDeps,
  tx: DatabaseTransaction,
  { integration, message }: MessageReceived,
  input: {
    readonly conversationId: string;
    readonly externalKey: string;
    readonly earlier: readonly EarlierMessage[];
    readonly isToBeAnswered: boolean;
  },
): Promise<void> {
  const { organizationId } = integration;
  const { conversationId } = input;
  const at = deps.clock.now();
  const { channel, author } = message;
  const isDirect = channel.kind === "direct";
  const fallback = author.kind === "person" && !isDirect ? { fallbackChannelId: author.id } : {};
  await Promise.all([
    isDirect ||
      rememberChannel(tx, organizationId, {
        id: deps.ids(),
        integrationId: integration.id,
        externalId: channel.id,
        kind: channel.kind,
        at,
      }),
    openConversation(tx, organizationId, {
      id: conversationId,
      surface: "slack",
      externalKey: input.externalKey,
      integrationId: integration.id,
      channelId: channel.id,
      threadId: message.threadId,
      ...fallback,
      at,
    }),
    ...input.earlier.map((old) => insertEarlier(deps, tx, organizationId, conversationId, old)),
    addMessage(deps, tx, organizationId, {
      conversationId,
      ...fromInbound(message),
      isToBeAnswered: input.isToBeAnswered,
    }),
  ]);
}

function fromInbound(message: InboundMessage): {
  externalId: string;
  author: Author;
  text: string;
  sentAt: Date;
} {
  return {
    externalId: message.messageId,
    author: { kind: message.author.kind, id: message.author.id, name: message.author.name },
    text: message.text.slice(0, TEXT_LIMITS.messageCharactersMax),
    sentAt: message.sentAt,
  };
}

/** A mention in an existing thread brings the earlier messages along, or goes on without them. */
async function readThread(
  deps: ReceiveDeps,
  { integration, message }: MessageReceived,
  signal: AbortSignal,
): Promise<readonly EarlierMessage[]> {
  const { organizationId, id } = integration;
  try {
    const { connector, connection } = await deps.integrations.connections.open(organizationId, id, {
      signal,
    });
    const read = await connector.messenger?.readThread(
      connection,
      {
        channelId: message.channel.id,
        threadId: message.threadId,
        beforeMessageId: message.messageId,
        messagesMax: HISTORY_LIMITS.messagesMax,
      },
      { signal: deadline(signal, READ_THREAD_TIMEOUT_MS) },
    );
    return (read ?? []).map(({ messageId, author, text, sentAt, isOwn }) => ({
      externalId: messageId,
      author: isOwn ? { ...author, kind: "agent" as const } : author,
      text,
      sentAt,
    }));
  } catch (error) {
    if (signal.aborted) throw error;
    deps.log.warn(
      { err: error, organizationId, integrationId: id },
      "earlier messages of a thread could not be read",
    );
    return [];
  }
}

async function insertEarlier(
  deps: ReceiveDeps,
  tx: DatabaseTransaction,
  organizationId: string,
  conversationId: string,
  earlier: EarlierMessage,
): Promise<void> {
  if (earlier.text.trim() === "") return;
  await insertMessage(tx, organizationId, {
    id: deps.ids(),
    conversationId,
    ...earlier,
    text: earlier.text.slice(0, TEXT_LIMITS.messageCharactersMax),
    at: deps.clock.now(),
  });
}

export interface NewUserMessage {
  readonly conversationId: string;
  readonly externalId?: string | undefined;
  readonly author: Author;
  readonly text: string;
  readonly sentAt: Date;
  readonly isToBeAnswered: boolean;
}

/**
 * Adds a message and, where it is to be answered, its turn. Undefined when it starts no turn, as when
 * the conversation has the message already: the turn's job then finds nothing to do.
 */
export async function addMessage(
  deps: Pick<ReceiveDeps, "ids" | "clock" | "turns">,
  tx: DatabaseTransaction,
  organizationId: string,
  { isToBeAnswered, ...input }: NewUserMessage,
): Promise<{ readonly messageId: string; readonly turnId: string } | undefined> {
  const message = { id: deps.ids(), ...input, at: deps.clock.now() };
  if (!isToBeAnswered) {
    await insertMessage(tx, organizationId, message);
    return undefined;
  }
  const turnId = deps.ids();
  const [isNew] = await Promise.all([
    insertQuestion(tx, organizationId, message, { id: turnId, traceId: traceIdOf(turnId) }),
    deps.turns.enqueue(sqlExecutor(tx), [
      { id: turnId, key: input.conversationId, data: { organizationId, turnId } },
    ]),
  ]);
  return isNew ? { messageId: message.id, turnId } : undefined;
}
