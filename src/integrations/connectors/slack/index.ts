export type { SlackConfig } from "./config.ts";
export { createSlackConnector } from "./create-connector.ts";
export { diagnose, type DiagnosisLine } from "./diagnose.ts";
export { REQUIRED_BOT_SCOPES } from "./identify.ts";
export { newAppUrl, slackManifest } from "./manifest.ts";
