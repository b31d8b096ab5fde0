export type { GitHubConfig } from "./config.ts";
export { createGitHubConnector } from "./create-connector.ts";
export { diagnoseGitHub } from "./diagnose.ts";
export { newAppUrl } from "./new-app-url.ts";
