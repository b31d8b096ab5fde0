import type { Connector, VendorFetch } from "@infragpt/connector-kit";
import { createGitHubConnector, type GitHubConfig } from "./connectors/github/index.ts";
import { createSlackConnector, type SlackConfig } from "./connectors/slack/index.ts";

/** What the connectors that ship with the service are told; an absent one is not configured. */
export interface ConnectorSettings {
  readonly slack?: SlackConfig | undefined;
  readonly github?: GitHubConfig | undefined;
  /** For every address that a tenant or an answer can influence. */
  readonly guardedFetch: VendorFetch;
}

/** One line a connector. */
export function builtinConnectors(settings: ConnectorSettings): readonly Connector[] {
  const { slack, github, guardedFetch } = settings;
  return [
    ...(slack ? [createSlackConnector(slack)] : []),
    ...(github ? [createGitHubConnector(github, { guardedFetch })] : []),
  ];
}
