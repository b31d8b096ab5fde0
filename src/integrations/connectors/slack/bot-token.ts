import { ConnectorError, type Connection, type Secret } from "@infragpt/connector-kit";

/** Throws ConnectorError when the connection has none. */
export function getBotToken(connection: Pick<Connection, "credentials">): Secret {
  const token = connection.credentials["bot_token"];
  if (token === undefined) {
    throw new ConnectorError("unauthorized", "the Slack connection has no bot_token: reconnect it");
  }
  return token;
}
