import { type Messenger, cutText } from "@infragpt/connector-kit";
import { getBotToken } from "./bot-token.ts";
import type { SlackConfig } from "./config.ts";
import { findPost } from "./find-post.ts";
import { openDirect } from "./open-direct.ts";
import { postMessage } from "./post.ts";
import { readPerson } from "./read-person.ts";
import { readThread } from "./read-thread.ts";
import { respondToCommand } from "./respond.ts";
import { splitMarkdown } from "./split.ts";
import { updateMessage } from "./update.ts";
import type { SlackCaller } from "./web-client.ts";

const STATUS_CHARACTERS_MAX = 200;

/** Talks in Slack: one attempt for each call, ConnectorError for every failure. */
export function createMessenger(
  caller: SlackCaller,
  config: Pick<SlackConfig, "apiUrl" | "callTimeoutMs">,
): Messenger {
  return {
    split: splitMarkdown,
    post: (connection, post, options) => postMessage(caller, connection, post, options),
    update: (connection, update, options) => updateMessage(caller, connection, update, options),
    find: (connection, query, options) => findPost(caller, connection, query, options),
    readThread: (connection, query, options) => readThread(caller, connection, query, options),
    async showStatus(connection, status, options) {
      const input = {
        channel_id: status.channelId,
        thread_ts: status.threadId,
        status: cutText(status.text, STATUS_CHARACTERS_MAX),
      };
      const token = getBotToken(connection);
      await caller.call(token, "assistant.threads.setStatus", input, options);
    },
    openDirect: (connection, personId, options) =>
      openDirect(caller, connection, personId, options),
    readPerson: (connection, personId, options) =>
      readPerson(caller, connection, personId, options),
    respond: (_, answer, options) => respondToCommand(config, answer, options),
  };
}
