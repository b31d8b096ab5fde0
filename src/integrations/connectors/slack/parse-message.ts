import {
  type AccountProfile,
  type ChannelKind,
  type InboundAuthor,
  type InboundEvent,
  cutText,
  idIn,
  isRecord,
  recordIn,
  textIn,
  type UntrustedRecord,
} from "@infragpt/connector-kit";
import { MESSAGE_SUBTYPES } from "./message-subtypes.ts";
import { mentions, readMessageText } from "./message-text.ts";

/** Reads a `message` or `app_mention` event; both may stand for the same message. */
export function parseMessage(event: UntrustedRecord, account: AccountProfile): InboundEvent {
  const skipped = findReasonToIgnore(event, account);
  if (skipped !== undefined) return { kind: "ignored", reason: skipped };
  const channelId = idIn(event, "channel");
  const messageId = idIn(event, "ts");
  const author = readAuthor(event);
  const sentAt = messageId === undefined ? undefined : readTs(messageId);
  if (channelId === undefined || messageId === undefined || sentAt === undefined) {
    return { kind: "ignored", reason: "a message without channel or ts" };
  }
  if (author === undefined) return { kind: "ignored", reason: "a message without author" };
  const threadId = idIn(event, "thread_ts") ?? messageId;
  const channelKind = channelKindOf(channelId, event["channel_type"]);
  const isMention = event["type"] === "app_mention" || mentions(event, account.botId);
  return {
    kind: "message",
    message: {
      channel: { id: channelId, kind: channelKind },
      threadId,
      messageId,
      isReply: threadId !== messageId,
      isAddressed: isMention || channelKind === "direct",
      author,
      text: readMessageText(event, account.botId),
      sentAt,
    },
  };
}

function findReasonToIgnore(event: UntrustedRecord, account: AccountProfile): string | undefined {
  const subtype = event["subtype"];
  if (typeof subtype === "string" && !MESSAGE_SUBTYPES.has(subtype)) {
    return `message subtype ${cutText(subtype, 80)}`;
  }
  if (event["hidden"] === true) return "a hidden message";
  if (event["type"] === "app_mention" && isRecord(event["edited"])) return "an edit";
  if (isOwnMessage(event, account)) return "own message";
  return undefined;
}

/** Whether our own bot wrote it. Slack names a bot by its user id, its bot id or both. */
export function isOwnMessage(message: UntrustedRecord, account: AccountProfile): boolean {
  const userId = idIn(message, "user");
  const botId = idIn(message, "bot_id");
  return (
    (userId !== undefined && userId === account.botId) ||
    (botId !== undefined && botId === account.metadata?.["bot_id"])
  );
}

export function readAuthor(message: UntrustedRecord): InboundAuthor | undefined {
  const userId = idIn(message, "user");
  const botId = idIn(message, "bot_id");
  const isBot = botId !== undefined || message["subtype"] === "bot_message";
  const id = (isBot ? (botId ?? userId) : userId) ?? undefined;
  if (id === undefined) return isBot ? { kind: "bot", id: "unknown" } : undefined;
  const name = textIn(recordIn(message, "bot_profile"), "name") ?? textIn(message, "username");
  const kind = isBot || id === "USLACKBOT" ? "bot" : "person";
  return { kind, id, ...(name && { name: cutText(name, 200) }) };
}

/** Slack's ts is seconds since 1970 with a counter behind the point. */
export function readTs(ts: string): Date | undefined {
  return /^\d{1,11}(?:\.\d{1,9})?$/.test(ts) ? new Date(Number(ts) * 1_000) : undefined;
}

const CHANNEL_KINDS: ReadonlyMap<unknown, ChannelKind> = new Map([
  ["channel", "public"],
  ["group", "private"],
  ["im", "direct"],
  ["mpim", "group_direct"],
  // The app's own message tab of the older assistant surface.
  ["app_home", "direct"],
]);

/** `app_mention` carries no channel_type; only a direct message can be told by its id alone. */
function channelKindOf(channelId: string, channelType: unknown): ChannelKind {
  return CHANNEL_KINDS.get(channelType) ?? (channelId.startsWith("D") ? "direct" : "unknown");
}
