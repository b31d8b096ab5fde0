import {
  type AccountProfile,
  type Connection,
  type ReadThread,
  type ThreadMessage,
  idIn,
  type UntrustedRecord,
} from "@infragpt/connector-kit";
import { getBotToken } from "./bot-token.ts";
import { MESSAGE_SUBTYPES } from "./message-subtypes.ts";
import { readMessageText } from "./message-text.ts";
import { readPages } from "./pages.ts";
import { isOwnMessage, readAuthor, readTs } from "./parse-message.ts";
import type { SlackCaller } from "./web-client.ts";

const PAGES_MAX = 10;

/**
 * The messages of a thread before one of them, oldest first. Of a long thread the first message, which
 * says what it is about, and the latest ones.
 */
export async function readThread(
  caller: SlackCaller,
  connection: Connection,
  query: ReadThread,
  options: { readonly signal: AbortSignal },
): Promise<readonly ThreadMessage[]> {
  if (query.messagesMax <= 0) return [];
  const input = {
    channel: query.channelId,
    ts: query.threadId,
    latest: query.beforeMessageId,
    inclusive: false,
  };
  const method = "conversations.replies";
  const pages = readPages(
    caller,
    getBotToken(connection),
    { method, input, pagesMax: PAGES_MAX },
    options,
  );
  let kept: readonly ThreadMessage[] = [];
  for await (const { messages } of pages) {
    const read = messages
      .map((message) => toThreadMessage(message, connection.profile))
      .filter((message) => message !== undefined)
      // Slack always gives the thread's first message, also when it is the one to stop before.
      .filter((message) => Number(message.messageId) < Number(query.beforeMessageId));
    kept = keepEnds([...kept, ...read], query.messagesMax);
  }
  return kept;
}

function keepEnds(
  messages: readonly ThreadMessage[],
  messagesMax: number,
): readonly ThreadMessage[] {
  if (messages.length <= messagesMax) return messages;
  const latest = messagesMax === 1 ? [] : messages.slice(-(messagesMax - 1));
  return [...messages.slice(0, 1), ...latest];
}

function toThreadMessage(
  message: UntrustedRecord,
  account: AccountProfile,
): ThreadMessage | undefined {
  const subtype = message["subtype"];
  if (typeof subtype === "string" && !MESSAGE_SUBTYPES.has(subtype)) return undefined;
  const messageId = idIn(message, "ts");
  const sentAt = messageId === undefined ? undefined : readTs(messageId);
  const author = readAuthor(message);
  if (messageId === undefined || sentAt === undefined || author === undefined) return undefined;
  return {
    messageId,
    author,
    text: readMessageText(message, account.botId),
    sentAt,
    isOwn: isOwnMessage(message, account),
  };
}
