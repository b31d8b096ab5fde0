import type { Connection, Messenger } from "@infragpt/connector-kit";
import { Secret } from "@infragpt/connector-kit";
import type { SlackConfig } from "./config.ts";
import { createSlackConnector } from "./create-connector.ts";
import { fakeSlackConfig, type SlackToReach } from "./test-listener.ts";

/** A connection to the fake's first workspace. */
export function fakeSlackConnection(slack: SlackToReach): Connection {
  const { teamId, botUserId, botId, botToken } = slack.workspace;
  return {
    integrationId: "1",
    accountId: teamId,
    credentials: { bot_token: new Secret(botToken) },
    profile: {
      accountId: teamId,
      accountName: "Acme",
      botId: botUserId,
      metadata: { bot_id: botId },
    },
  };
}

export function fakeSlackMessenger(
  slack: SlackToReach,
  change: Partial<SlackConfig> = {},
): Messenger {
  const { messenger } = createSlackConnector(fakeSlackConfig(slack, change));
  if (messenger === undefined) throw new Error("Slack has a messenger");
  return messenger;
}
