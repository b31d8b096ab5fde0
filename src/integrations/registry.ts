import type { Connector } from "@infragpt/connector-kit";
import { createSlackConnector, type SlackConfig } from "./connectors/slack/index.ts";

/** What the connectors that ship with the service are told; an absent one is not configured. */
export interface ConnectorSettings {
  readonly slack?: SlackConfig | undefined;
}

/** One line a connector. */
export function builtinConnectors(settings: ConnectorSettings): readonly Connector[] {
  return settings.slack ? [createSlackConnector(settings.slack)] : [];
}
