import type { Connection, MessageUpdate, OutboundPost } from "@infragpt/connector-kit";
import type { KnownBlock } from "@slack/types";
import { getBotToken } from "./bot-token.ts";
import { cardBlocks } from "./card.ts";
import { silenceMentions } from "./mentions.ts";
import { toFallbackText } from "./mrkdwn.ts";
import type { SlackCaller } from "./web-client.ts";

/** Changes one of our messages. Throws ConnectorError. */
export async function updateMessage(
  caller: SlackCaller,
  connection: Connection,
  update: MessageUpdate,
  options: { readonly signal: AbortSignal },
): Promise<void> {
  const input = { channel: update.channelId, ts: update.messageId, ...contentOf(update) };
  await caller.call(getBotToken(connection), "chat.update", input, options);
}

/** What a post or an update shows: its card, or its Markdown. */
export function contentOf(message: Pick<OutboundPost, "text" | "card">): {
  readonly text: string;
  readonly blocks: readonly KnownBlock[];
} {
  const blocks: readonly KnownBlock[] = message.card
    ? cardBlocks(message.card)
    : [{ type: "markdown", text: silenceMentions(message.text) }];
  return { text: toFallbackText(message.text), blocks };
}
