import {
  type InboundEvent,
  arrayIn,
  cutText,
  idIn,
  isRecord,
  recordIn,
  textIn,
  type UntrustedRecord,
} from "@infragpt/connector-kit";
import { readActionName } from "./card.ts";

const VALUE_CHARACTERS_MAX = 2_000;

/** A click on a card of ours: https://docs.slack.dev/reference/interaction-payloads/block_actions-payload (2026-11). */
export function parseAction(payload: UntrustedRecord): InboundEvent {
  const type = idIn(payload, "type") ?? "of no type";
  const [first] = arrayIn(payload, "actions");
  const clicked = isRecord(first) ? first : {};
  const name = readActionName(textIn(clicked, "action_id") ?? "");
  if (type !== "block_actions" || name === undefined) {
    return { kind: "ignored", reason: `interaction ${cutText(type, 80)}` };
  }
  const container = recordIn(payload, "container");
  const message = recordIn(payload, "message");
  const user = recordIn(payload, "user");
  const channelId = idIn(recordIn(payload, "channel"), "id") ?? idIn(container, "channel_id");
  const messageId = idIn(container, "message_ts") ?? idIn(message, "ts");
  const userId = idIn(user, "id");
  if (!channelId || !messageId || !userId) {
    return { kind: "ignored", reason: "an incomplete interaction" };
  }
  const authorName = textIn(user, "name") ?? textIn(user, "username");
  const threadId = idIn(container, "thread_ts") ?? idIn(message, "thread_ts");
  const responseUrl = textIn(payload, "response_url");
  const clickedAt = readTimestamp(idIn(clicked, "action_ts"));
  return {
    kind: "action",
    action: {
      channel: { id: channelId, kind: channelId.startsWith("D") ? "direct" : "unknown" },
      messageId,
      ...(threadId && { threadId }),
      author: {
        kind: "person",
        id: userId,
        ...(authorName && { name: cutText(authorName, 200) }),
      },
      name,
      value: cutText(textIn(clicked, "value") ?? "", VALUE_CHARACTERS_MAX),
      ...(responseUrl && { responseUrl: cutText(responseUrl, 2_000) }),
      actionId: idIn(payload, "trigger_id") ?? `${channelId}:${messageId}:${userId}`,
      ...(clickedAt && { clickedAt }),
    },
  };
}

/** Seconds with a fraction, as in every ts of Slack. */
function readTimestamp(ts: string | undefined): Date | undefined {
  const date = new Date(Number(ts) * 1_000);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
