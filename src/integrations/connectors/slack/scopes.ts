/** The bot scopes of the app, in the manifest and in OAuth alike: https://docs.slack.dev/reference/scopes (2026-11). */
export const BOT_SCOPES: readonly string[] = [
  "app_mentions:read",
  "assistant:write",
  "channels:history",
  "channels:read",
  "chat:write",
  "commands",
  "files:read",
  "files:write",
  "groups:history",
  "groups:read",
  "im:history",
  "im:write",
  "mpim:history",
  "reactions:write",
  "users:read",
  "users:read.email",
];

/** What the bot tells of: the events it subscribes to. */
export const BOT_EVENTS: readonly string[] = [
  "agent_session_stopped",
  "app_home_opened",
  "app_mention",
  "app_uninstalled",
  "message.channels",
  "message.groups",
  "message.im",
  "message.mpim",
  "tokens_revoked",
];
