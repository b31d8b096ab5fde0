import {
  type AccountProfile,
  type ChannelKind,
  type Delivery,
  type InboundCommand,
  type InboundEvent,
  arrayIn,
  cutText,
  idIn,
  isRecord,
  recordIn,
  textIn,
  type UntrustedRecord,
} from "@infragpt/connector-kit";
import { MESSAGE_CHARACTERS_MAX } from "./message-text.ts";
import { parseAction } from "./parse-action.ts";
import { parseMessage } from "./parse-message.ts";

/** What a stored delivery means. Pure; throws only when the body is not JSON. */
export function parseDelivery(
  delivery: Delivery,
  account: AccountProfile,
): readonly InboundEvent[] {
  const payload: unknown = JSON.parse(Buffer.from(delivery.body).toString("utf8"));
  if (!isRecord(payload)) return [ignored("a payload without content")];
  switch (delivery.kind) {
    case "event":
      return [parseEvent(recordIn(payload, "event"), account)];
    case "command":
      return [parseCommand(payload)];
    case "interaction":
      return [parseAction(payload)];
    default:
      return [ignored("an unknown kind of delivery")];
  }
}

function parseEvent(event: UntrustedRecord, account: AccountProfile): InboundEvent {
  switch (event["type"]) {
    case "message":
    case "app_mention":
      return parseMessage(event, account);
    case "app_uninstalled":
      return { kind: "disconnected", reason: "the app was uninstalled" };
    case "tokens_revoked":
      return arrayIn(recordIn(event, "tokens"), "bot").length > 0
        ? { kind: "disconnected", reason: "the bot token was revoked" }
        : ignored("tokens of people were revoked");
    default:
      return ignored(`event ${cutText(idIn(event, "type") ?? "of no type", 80)}`);
  }
}

function parseCommand(payload: UntrustedRecord): InboundEvent {
  const command = idIn(payload, "command")?.replace(/^\//, "");
  const channelId = idIn(payload, "channel_id");
  const userId = idIn(payload, "user_id");
  const responseUrl = textIn(payload, "response_url");
  if (!command || !channelId || !userId || !responseUrl) return ignored("an incomplete command");
  const name = textIn(payload, "user_name");
  const parsed: InboundCommand = {
    channel: { id: channelId, kind: channelKindOf(channelId, payload["channel_name"]) },
    author: { kind: "person", id: userId, ...(name && { name: cutText(name, 200) }) },
    command,
    text: cutText((textIn(payload, "text") ?? "").trim(), MESSAGE_CHARACTERS_MAX),
    responseUrl: cutText(responseUrl, 2_000),
    commandId: idIn(payload, "trigger_id") ?? `${channelId}:${userId}`,
    sentAt: readDate(payload["infragpt_received_at"]),
  };
  return { kind: "command", command: parsed };
}

/** Commands name the channel instead of its kind: https://docs.slack.dev/interactivity/implementing-slash-commands */
function channelKindOf(channelId: string, channelName: unknown): ChannelKind {
  if (channelId.startsWith("D") || channelName === "directmessage") return "direct";
  if (typeof channelName === "string" && channelName.startsWith("mpdm-")) return "group_direct";
  return channelName === "privategroup" ? "private" : "unknown";
}

function readDate(value: unknown): Date {
  const date = new Date(typeof value === "string" ? value : 0);
  return Number.isNaN(date.getTime()) ? new Date(0) : date;
}

function ignored(reason: string): InboundEvent {
  return { kind: "ignored", reason };
}
