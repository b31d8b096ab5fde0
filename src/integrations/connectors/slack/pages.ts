import {
  type Secret,
  arrayIn,
  isRecord,
  recordIn,
  textIn,
  type UntrustedRecord,
} from "@infragpt/connector-kit";
import type { SlackCaller } from "./web-client.ts";

interface PageQuery {
  readonly method: "conversations.replies" | "conversations.history";
  readonly input: Readonly<Record<string, unknown>>;
  readonly pagesMax: number;
}

export interface MessagePage {
  readonly messages: readonly UntrustedRecord[];
  /** Slack has more than was asked for. */
  readonly isCutOff: boolean;
}

/** Slack gives at most 999, and advises no more than 200, messages a page. */
const PAGE_MESSAGES = 200;

/** Reads messages page after page. Throws ConnectorError. */
export async function* readPages(
  caller: SlackCaller,
  token: Secret,
  query: PageQuery,
  options: { readonly signal: AbortSignal },
): AsyncGenerator<MessagePage> {
  let cursor: string | undefined;
  for (let page = 1; page <= query.pagesMax; page += 1) {
    const input = { ...query.input, limit: PAGE_MESSAGES, ...(cursor && { cursor }) };
    const { body } = await caller.call(token, query.method, input, options);
    cursor = textIn(recordIn(body, "response_metadata"), "next_cursor");
    const messages = arrayIn(body, "messages").filter((message) => isRecord(message));
    yield { messages, isCutOff: cursor !== undefined && page === query.pagesMax };
    if (cursor === undefined) return;
  }
}
