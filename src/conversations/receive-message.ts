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
import { sqlExecutor, withTenant, type Database, type DatabaseTransaction } from "#database";
import type { Integrations, MessageReceived } from "#integrations";
import type { TurnJob } from "./turns/answer-message.ts";
import {
  HISTORY_LIMITS,
  TEXT_LIMITS,
  isAnswered,
  type Author,
  type Conversation,
} from "./model.ts";
import {
  findContext,
  insertMessage,
  insertTurn,
  openConversation,
  rememberChannel,
} from "./store.ts";

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
  const context = await withTenant(deps.db, organizationId, (tx) =>
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
  await withTenant(deps.db, organizationId, async (tx) => {
    const at = deps.clock.now();
    const isDirect = message.channel.kind === "direct";
    if (!isDirect) {
      await rememberChannel(tx, organizationId, {
        id: deps.ids(),
        integrationId: integration.id,
        externalId: message.channel.id,
        kind: message.channel.kind,
        at,
      });
    }
    const conversation = await openConversation(tx, organizationId, {
      id: deps.ids(),
      surface: "slack",
      externalKey,
      integrationId: integration.id,
      channelId: message.channel.id,
      threadId: message.threadId,
      ...(message.author.kind === "person" && !isDirect
        ? { fallbackChannelId: message.author.id }
        : {}),
      at,
    });
    for (const old of earlier) await insertEarlier(deps, tx, conversation, old);
    await addMessage(deps, tx, { conversation, ...fromInbound(message), isToBeAnswered });
  });
  deps.turns.wake();
  return isToBeAnswered ? "handled" : "ignored";
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
  conversation: Conversation,
  earlier: EarlierMessage,
): Promise<void> {
  if (earlier.text.trim() === "") return;
  await insertMessage(tx, conversation.organizationId, {
    id: deps.ids(),
    conversationId: conversation.id,
    ...earlier,
    text: earlier.text.slice(0, TEXT_LIMITS.messageCharactersMax),
    at: deps.clock.now(),
  });
}

export interface NewUserMessage {
  readonly conversation: Conversation;
  readonly externalId?: string | undefined;
  readonly author: Author;
  readonly text: string;
  readonly sentAt: Date;
  readonly isToBeAnswered: boolean;
}

/** Adds a message and, where it is to be answered, its turn. Undefined when the conversation has the message already. */
export async function addMessage(
  deps: Pick<ReceiveDeps, "ids" | "clock" | "turns">,
  tx: DatabaseTransaction,
  input: NewUserMessage,
): Promise<{ readonly messageId: string; readonly turnId: string } | undefined> {
  const { conversation, externalId, author, text, sentAt } = input;
  const { organizationId } = conversation;
  const at = deps.clock.now();
  const messageId = deps.ids();
  const isNew = await insertMessage(tx, organizationId, {
    id: messageId,
    conversationId: conversation.id,
    externalId,
    author,
    text,
    sentAt,
    at,
  });
  if (!isNew || !input.isToBeAnswered) return undefined;
  const turnId = deps.ids();
  await insertTurn(tx, organizationId, {
    id: turnId,
    conversationId: conversation.id,
    messageId,
    traceId: traceIdOf(turnId),
    at,
  });
  await deps.turns.enqueue(sqlExecutor(tx), [
    { id: turnId, key: conversation.id, data: { organizationId, turnId } },
  ]);
  return { messageId, turnId };
}
