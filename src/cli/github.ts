import { newGitHubAppUrl } from "#integrations";
import type { Values } from "./commands.ts";
import { readConfig } from "./read-config.ts";
import type { CliContext } from "./terminal.ts";

/** Prints the page of GitHub that makes an app which fits the configuration. */
export async function github(
  context: CliContext,
  values: Values,
  [action, ...rest]: readonly string[],
): Promise<number> {
  const { terminal } = context;
  if (action !== "link" || rest.length > 0) {
    terminal.err("Use: infragpt github link\n");
    return 1;
  }
  const config = readConfig(context, values);
  const { publicUrl } = config;
  const { name, organization } = values;
  const url = newGitHubAppUrl({
    name: typeof name === "string" ? name : "InfraGPT",
    webUrl: config.github?.webUrl ?? "https://github.com",
    ...(typeof organization === "string" && { organization }),
    publicUrl,
    redirectUrl: config.github?.redirectUrl ?? `${publicUrl}/integrations/callback/github`,
  });
  terminal.out(values["json"] === true ? `${JSON.stringify({ url }, null, 2)}\n` : `${url}\n`);
  // On stderr, so that the address can be piped.
  terminal.err(hintFor(publicUrl));
  return 0;
}

function hintFor(publicUrl: string): string {
  const next =
    "Open this page, give the app a webhook secret and create it. Then generate a client secret and a\n" +
    "private key on its page, and set integrations.github: app_id, app_slug, client_id, client_secret,\n" +
    "private_key, webhook_secret.\n";
  const isReachable = publicUrl.startsWith("https:");
  const warning = isReachable
    ? ""
    : "public_url is not https: GitHub cannot deliver webhooks there, so the service reads them from\n" +
      "GitHub's log within a minute.\n";
  return next + warning;
}
