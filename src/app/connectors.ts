import type { Config } from "#config";
import { LOCAL_ORGANIZATION_ID } from "#identity";
import type { ConfiguredAccounts, ConnectorSettings } from "#integrations";

const SLACK_CALL_TIMEOUT_MS = 10_000;

/** What the connectors that ship with the service are told. */
export function connectorSettings(config: Config): ConnectorSettings {
  return { slack: slackSettings(config) };
}

function slackSettings({ slack }: Config): ConnectorSettings["slack"] {
  if (!slack) return undefined;
  const { redirectUrl: _, ...settings } = slack;
  return { ...settings, callTimeoutMs: SLACK_CALL_TIMEOUT_MS };
}

/** Where vendors send people back to, where the configuration says so. */
export function redirectUrls({ slack, integrations }: Config): ReadonlyMap<string, string> {
  const urls = new Map<string, string>();
  if (slack?.redirectUrl) urls.set("slack", slack.redirectUrl);
  if (integrations.github?.redirectUrl) urls.set("github", integrations.github.redirectUrl);
  return urls;
}

export function configuredAccounts({ slack }: Config): ConfiguredAccounts {
  return {
    organizationId: LOCAL_ORGANIZATION_ID,
    credentials: slack?.botToken ? { slack: { bot_token: slack.botToken } } : {},
  };
}

export function expectedLinks({ slack }: Config): ReadonlyMap<string, number> {
  return new Map(slack?.transport === "socket" ? [["slack", slack.sockets]] : []);
}
