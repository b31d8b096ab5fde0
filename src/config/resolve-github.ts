import { createPrivateKey } from "node:crypto";
import { Secret } from "@infragpt/connector-kit";
import type { Config, GitHubConfig } from "./config.ts";
import type { Path, Problems } from "./problems.ts";
import type { ConfigFile } from "./schema.ts";

const BASE: Path = ["integrations", "github"];
const KEY_BITS_MIN = 2_048;
/** What people need to install the app from here: all of them, or neither of the first two. */
const CLIENT_KEYS = ["client_id", "client_secret", "app_slug"] as const;

/** Undefined without an app. Half a configuration is a problem, named by what is missing. */
export function resolveGitHub(
  { integrations }: Partial<ConfigFile>,
  mode: Config["mode"],
  problems: Problems,
): GitHubConfig | undefined {
  const github = integrations?.github;
  if (!github) return undefined;
  const { app_id: appId, private_key: given, webhook_secret: webhookSecrets = [] } = github;
  const hasClient = github.client_id !== undefined || github.client_secret !== undefined;
  if (appId === undefined && given === undefined && webhookSecrets.length === 0 && !hasClient) {
    return undefined;
  }
  if (appId === undefined) problems.add([...BASE, "app_id"], "is missing: the app's page shows it");
  else if (!/^\d{1,20}$/.test(appId)) problems.add([...BASE, "app_id"], "must be a number");
  if (given === undefined) {
    problems.add([...BASE, "private_key"], "is missing: generate one on the app's page");
  }
  if (hasClient) {
    for (const key of CLIENT_KEYS.filter((name) => github[name] === undefined)) {
      problems.add(
        [...BASE, key],
        "is missing: people install the app with client_id, client_secret and app_slug",
      );
    }
  }
  if (webhookSecrets.length === 0 && mode === "production") {
    problems.add([...BASE, "webhook_secret"], "is missing: production verifies every webhook");
  }
  const privateKey = given && readKey(given, problems);
  if (appId === undefined || privateKey === undefined) return undefined;
  const { client_id, client_secret, app_slug, redirect_url } = github;
  return {
    appId,
    privateKey,
    ...(client_id && { clientId: client_id }),
    ...(client_secret && { clientSecret: client_secret }),
    ...(app_slug && { appSlug: app_slug }),
    ...(redirect_url && { redirectUrl: redirect_url }),
    webhookSecrets,
    webhookPort: github.webhook_port,
    apiUrl: github.api_url.replace(/\/+$/, ""),
    webUrl: github.web_url.replace(/\/+$/, ""),
  };
}

/** Undefined, with a problem, for what is no key. */
function readKey(given: Secret, problems: Problems): Secret | undefined {
  const pem = given.reveal().trim();
  try {
    const key = createPrivateKey(pem);
    const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
    if (key.asymmetricKeyType === "rsa" && bits >= KEY_BITS_MIN) return new Secret(`${pem}\n`);
  } catch {
    // The reason could repeat a part of it.
  }
  problems.add([...BASE, "private_key"], "is no RSA private key of 2048 bits or more in PEM");
  return undefined;
}
