import { defineConnector, type Connector } from "@infragpt/connector-kit";
import { createAuthorization } from "./authorization.ts";
import { createCalls } from "./calls.ts";
import { createGitHubClient } from "./client.ts";
import type { GitHubConfig, GitHubDeps } from "./config.ts";
import { checkHealth, uninstall } from "./installation.ts";
import { createInstallationTokens } from "./installation-tokens.ts";
import { catchUp, pauseFor } from "./missed-deliveries.ts";
import { createOperations } from "./operations/index.ts";
import { parseDelivery } from "./parse.ts";
import { createResources } from "./resources.ts";
import { createWebhook } from "./webhook.ts";

/** Reaches GitHub as a GitHub App. Nothing secret of an account is stored: tokens are made per use. */
export function createGitHubConnector(config: GitHubConfig, deps: GitHubDeps): Connector {
  const clock = deps.clock ?? { now: () => new Date() };
  const { random = Math.random, pause = pauseFor } = deps;
  const client = createGitHubClient(config, clock);
  const calls = createCalls(client, createInstallationTokens(client, clock));
  const { clientId, clientSecret, appSlug, webhookSecrets } = config;
  const oauth = clientId && clientSecret && appSlug && { clientId, clientSecret, appSlug };
  return defineConnector<Connector>({
    id: "github",
    name: "GitHub",
    ...(oauth && { authorization: createAuthorization(client, oauth, config) }),
    ...(webhookSecrets.length > 0 && {
      webhooks: [createWebhook(config.appId, webhookSecrets)],
      listen: (context) => catchUp({ client, clock, random, pause }, context),
    }),
    parse: parseDelivery,
    checkHealth: (connection, options) => checkHealth(client, connection, options),
    revoke: (connection, options) => uninstall(client, connection, options),
    resources: createResources(calls),
    operations: createOperations(calls, { ...config, guardedFetch: deps.guardedFetch }),
  });
}
