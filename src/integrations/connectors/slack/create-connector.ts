import { ConnectorError, defineConnector, type Connector } from "@infragpt/connector-kit";
import { createAuthorization, createRefresh, revokeGrant } from "./authorization.ts";
import { checkSlackHealth } from "./check-health.ts";
import type { SlackConfig, SlackDeps } from "./config.ts";
import { identifyAccount } from "./identify.ts";
import { createMessenger } from "./messenger.ts";
import { parseDelivery } from "./parse.ts";
import { listenOverSockets } from "./socket-mode.ts";
import { createSlackCaller } from "./web-client.ts";
import { createWebhooks } from "./webhooks.ts";

/** Reaches Slack, over Socket Mode or over the HTTP Events API. */
export function createSlackConnector(config: SlackConfig, deps: SlackDeps = {}): Connector {
  const caller = createSlackCaller(config);
  const clock = deps.clock ?? { now: () => new Date() };
  const { appToken, botToken } = config;
  const signingSecrets = config.signingSecrets ?? [];
  const { clientId, clientSecret } = config;
  const client = clientId && clientSecret ? { clientId, clientSecret, clock } : undefined;
  const isHttp = config.transport === "http";
  return defineConnector<Connector>({
    id: "slack",
    name: "Slack",
    ...(botToken && { configured: { bot_token: botToken } }),
    ...(!isHttp &&
      appToken && {
        listen: (context) =>
          listenOverSockets({ ...deps, caller }, { ...config, appToken }, context),
      }),
    ...(isHttp &&
      signingSecrets.length > 0 && { webhooks: createWebhooks({ signingSecrets, clock }) }),
    parse: parseDelivery,
    ...(client && {
      authorization: createAuthorization(caller, client, config),
      refresh: createRefresh(caller, client),
    }),
    revoke: (connection, options) => revokeGrant(caller, client, connection, options),
    messenger: createMessenger(caller, config),
    async identify(credentials, options) {
      const token = credentials["bot_token"];
      if (token === undefined) {
        throw new ConnectorError("rejected", "Slack is connected with a bot_token: none was given");
      }
      return identifyAccount(caller, token, options);
    },
    checkHealth: (connection, options) => checkSlackHealth(caller, connection, options),
  });
}
