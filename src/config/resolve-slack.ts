import type { Config, SlackConfig } from "./config.ts";
import type { Path, Problems } from "./problems.ts";
import type { ConfigFile, SlackFile } from "./schema.ts";

const CREDENTIALS = [
  "app_token",
  "bot_token",
  "signing_secret",
  "client_id",
  "client_secret",
] as const;

/** `slack` and `integrations.slack` as one; the latter wins key by key. Undefined without any credential. */
export function resolveSlack(
  { slack, integrations }: Partial<ConfigFile>,
  mode: Config["mode"],
  problems: Problems,
): SlackConfig | undefined {
  const merged: SlackFile = { ...slack, ...defined(integrations?.slack) };
  const base: Path =
    slack === undefined && integrations?.slack ? ["integrations", "slack"] : ["slack"];
  const transport = merged.transport ?? "socket";
  if (transport === "http" && mode === "production" && merged.signing_secret === undefined) {
    problems.add(
      [...base, "signing_secret"],
      "is missing: transport http verifies every request with it",
    );
  }
  if (CREDENTIALS.every((key) => merged[key] === undefined)) return undefined;
  if (transport === "socket" && merged.app_token === undefined) {
    problems.add(
      [...base, "app_token"],
      "is missing: transport socket needs it (xapp-…); without one use transport: http",
    );
  }
  const { app_token, bot_token, client_id, client_secret, redirect_url } = merged;
  return {
    ...(app_token && { appToken: app_token }),
    ...(bot_token && { botToken: bot_token }),
    ...(client_id && { clientId: client_id }),
    ...(client_secret && { clientSecret: client_secret }),
    ...(redirect_url && { redirectUrl: redirect_url }),
    signingSecrets: merged.signing_secret ?? [],
    transport,
    apiUrl: `${(merged.api_url ?? "https://slack.com/api/").replace(/\/+$/, "")}/`,
    authorizeUrl: merged.authorize_url ?? "https://slack.com/oauth/v2/authorize",
    sockets: merged.sockets ?? 2,
  };
}

function defined<Section extends object>(section: Section | undefined): Partial<Section>;
function defined(section: object = {}): object {
  return Object.fromEntries(Object.entries(section).filter(([, value]) => value !== undefined));
}
