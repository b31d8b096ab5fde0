import type { Config } from "#config";
import { LOCAL_ORGANIZATION_ID } from "#identity";
import type { ConfiguredAccounts, ConnectorSettings } from "#integrations";

const SLACK_CALL_TIMEOUT_MS = 10_000;

const GITHUB_CALL_TIMEOUT_MS = 15_000;

/** What the connectors that ship with the service are told. */
export function connectorSettings(
  config: Config,
  guardedFetch: ConnectorSettings["guardedFetch"],
): ConnectorSettings {
  return { slack: slackSettings(config), github: githubSettings(config), guardedFetch };
}

export function githubSettings({ github }: Pick<Config, "github">): ConnectorSettings["github"] {
  return github && { ...github, callTimeoutMs: GITHUB_CALL_TIMEOUT_MS };
}

function slackSettings({ slack }: Config): ConnectorSettings["slack"] {
  if (!slack) return undefined;
  const { redirectUrl: _, ...settings } = slack;
  return { ...settings, callTimeoutMs: SLACK_CALL_TIMEOUT_MS };
}

/** Where vendors send people back to, where the configuration says so. */
export function redirectUrls({ slack, github }: Config): ReadonlyMap<string, string> {
  const urls = new Map<string, string>();
  if (slack?.redirectUrl) urls.set("slack", slack.redirectUrl);
  if (github?.redirectUrl) urls.set("github", github.redirectUrl);
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
