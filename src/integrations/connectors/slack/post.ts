import { ConnectorError, type Connection, type OutboundPost, idIn } from "@infragpt/connector-kit";
import { getBotToken } from "./bot-token.ts";
import { toMrkdwn } from "./mrkdwn.ts";
import { contentOf } from "./update.ts";
import type { SlackCaller } from "./web-client.ts";

/** Marks our posts, so that `findPost` recognises one whose outcome is unknown. */
export const POST_EVENT_TYPE = "infragpt_post";

/** Posts one part. Throws ConnectorError. */
export async function postMessage(
  caller: SlackCaller,
  connection: Connection,
  post: OutboundPost,
  options: { readonly signal: AbortSignal },
): Promise<{ readonly messageId: string }> {
  const token = getBotToken(connection);
  const envelope = {
    channel: post.channelId,
    ...(post.threadId !== undefined && { thread_ts: post.threadId }),
    metadata: { event_type: POST_EVENT_TYPE, event_payload: { key: post.idempotencyKey } },
    // A preview fetches the address: what an agent writes must not make anyone call out.
    unfurl_links: false,
    unfurl_media: false,
    link_names: false,
  };
  try {
    return await send(caller, token, { ...envelope, ...contentOf(post) }, options);
  } catch (error) {
    if (!isRefusedForItsBlocks(error)) throw error;
    return send(caller, token, { ...envelope, text: toMrkdwn(post.text) }, options);
  }
}

async function send(
  caller: SlackCaller,
  token: ReturnType<typeof getBotToken>,
  input: Readonly<Record<string, unknown>>,
  options: { readonly signal: AbortSignal },
): Promise<{ readonly messageId: string }> {
  const { body } = await caller.call(token, "chat.postMessage", input, options);
  const messageId = idIn(body, "ts");
  if (messageId === undefined) {
    throw new ConnectorError("uncertain", "Slack took a message but named no ts: look for it");
  }
  return { messageId };
}

const BLOCK_REFUSALS: ReadonlySet<string | undefined> = new Set([
  "block_mismatch",
  "invalid_blocks",
  "invalid_blocks_format",
  "markdown_text_conflict",
  "msg_blocks_too_long",
  "unsupported_block_type",
]);

/** Slack checks before it performs: such a refusal means that nothing was posted. */
function isRefusedForItsBlocks(error: unknown): boolean {
  return (
    error instanceof ConnectorError &&
    error.kind === "rejected" &&
    BLOCK_REFUSALS.has(error.vendorCode)
  );
}
