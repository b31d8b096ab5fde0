import { ConnectorError, type Connection, idIn, recordIn } from "@infragpt/connector-kit";
import { getBotToken } from "./bot-token.ts";
import type { SlackCaller } from "./web-client.ts";

/** The channel of direct messages with somebody, the same every time; needs the scope im:write. Throws ConnectorError. */
export async function openDirect(
  caller: SlackCaller,
  connection: Connection,
  personId: string,
  options: { readonly signal: AbortSignal },
): Promise<{ readonly channelId: string }> {
  const token = getBotToken(connection);
  const { body } = await caller.call(token, "conversations.open", { users: personId }, options);
  const channelId = idIn(recordIn(body, "channel"), "id");
  if (channelId === undefined) {
    throw new ConnectorError("uncertain", "Slack opened a conversation but did not name it");
  }
  return { channelId };
}
