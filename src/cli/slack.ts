import { stringify } from "yaml";
import { newSlackAppUrl, slackManifest } from "#integrations";
import type { Values } from "./commands.ts";
import { readConfig } from "./read-config.ts";
import type { CliContext } from "./terminal.ts";

/** Prints the manifest of a Slack app that fits the configuration, or the page that makes it. */
export async function slack(
  context: CliContext,
  values: Values,
  [action, ...rest]: readonly string[],
): Promise<number> {
  const { terminal } = context;
  if ((action !== "manifest" && action !== "link") || rest.length > 0) {
    terminal.err("Use: infragpt slack manifest, or infragpt slack link\n");
    return 1;
  }
  const config = readConfig(context, values);
  const { publicUrl } = config;
  const name = values["name"];
  const manifest = slackManifest({
    name: typeof name === "string" ? name : "InfraGPT",
    transport: config.slack?.transport ?? "socket",
    publicUrl,
    redirectUrl: config.slack?.redirectUrl ?? `${publicUrl}/slack`,
  });
  const url = newSlackAppUrl(manifest);
  if (values["json"] === true) {
    const answer = action === "link" ? { url } : manifest;
    terminal.out(`${JSON.stringify(answer, null, 2)}\n`);
    return 0;
  }
  terminal.out(action === "link" ? `${url}\n` : stringify(manifest));
  // On stderr, so that the manifest can be piped.
  terminal.err(hintFor(action, publicUrl));
  return 0;
}

function hintFor(action: "manifest" | "link", publicUrl: string): string {
  const next =
    action === "link"
      ? "Open this page, choose a workspace and create the app.\n"
      : "infragpt slack link prints a page of Slack that has this filled in.\n";
  const isReachable = publicUrl.startsWith("https:");
  const warning = isReachable
    ? ""
    : "public_url is not https: Slack sends people back to https addresses only.\n";
  return next + warning;
}
