import {
  ConnectorError,
  type Connection,
  type FindPosted,
  idIn,
  recordIn,
  type UntrustedRecord,
} from "@infragpt/connector-kit";
import { getBotToken } from "./bot-token.ts";
import { readPages } from "./pages.ts";
import { POST_EVENT_TYPE } from "./post.ts";
import type { SlackCaller } from "./web-client.ts";

const PAGES_MAX = 20;
/** Our clock may run ahead of Slack's. */
const CLOCK_SKEW_MS = 5 * 60_000;

/**
 * Looks for a post by its key. Undefined means that it was not posted; where Slack has more messages
 * than are looked at, it throws rather than let the caller post a second time.
 */
export async function findPost(
  caller: SlackCaller,
  connection: Connection,
  query: FindPosted,
  options: { readonly signal: AbortSignal },
): Promise<{ readonly messageId: string } | undefined> {
  const oldest = ((query.since.getTime() - CLOCK_SKEW_MS) / 1_000).toFixed(6);
  const common = { channel: query.channelId, oldest, inclusive: true, include_all_metadata: true };
  const pages = readPages(
    caller,
    getBotToken(connection),
    query.threadId === undefined
      ? { method: "conversations.history", input: common, pagesMax: PAGES_MAX }
      : {
          method: "conversations.replies",
          input: { ...common, ts: query.threadId },
          pagesMax: PAGES_MAX,
        },
    options,
  );
  for await (const { messages, isCutOff } of pages) {
    const found = messages.find((message) => hasKey(message, query.idempotencyKey));
    const messageId = found && idIn(found, "ts");
    if (messageId !== undefined) return { messageId };
    if (isCutOff) {
      throw new ConnectorError("unavailable", "too many messages to look for a post among them");
    }
  }
  return undefined;
}

function hasKey(message: UntrustedRecord, key: string): boolean {
  const metadata = recordIn(message, "metadata");
  return (
    metadata["event_type"] === POST_EVENT_TYPE && recordIn(metadata, "event_payload")["key"] === key
  );
}
