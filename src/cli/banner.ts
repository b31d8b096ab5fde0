import type { App } from "#app";
import type { Config } from "#config";
import type { Log } from "#platform";
import { table, type Terminal } from "./terminal.ts";

interface Announcement {
  readonly app: Pick<App, "addresses" | "agentNames" | "createLoginLink">;
  readonly config: Config;
  readonly log: Log;
  readonly terminal: Terminal;
}

/** Says where everything is and what to try next: for people on a terminal, as log lines otherwise. */
export async function announce({ app, config, log, terminal }: Announcement): Promise<void> {
  const { http, grpc, database } = app.addresses;
  const slack = slackState(config);
  const agents = app.agentNames.join(", ");
  if (config.logFormat === "json") {
    log.info({ address: http }, "the console and the HTTP API are ready");
    log.info({ address: grpc }, "gRPC is ready");
    log.info({ place: database }, "the database is ready");
    log.info({ agents }, "agents are ready");
    log.info({ state: slack }, "Slack");
    log.info({ state: githubState(config) }, "GitHub");
    log.info({ mode: config.mode, try: NEXT.map(([, step]) => step) }, "InfraGPT is ready");
    return;
  }
  // Only to the terminal: a log would keep what signs in an admin.
  const loginLink = await app.createLoginLink();
  const places = table([
    // A cookie counts for one name of this machine only: the console is named as the link names it.
    ["  Console", loginLink === undefined ? http : new URL(loginLink).origin],
    ...(loginLink === undefined ? [] : [["  Sign in", `${loginLink} (once, for 15 minutes)`]]),
    ["  gRPC", grpc],
    ["  Database", database],
    ["  Agents", agents],
    ["  Slack", slack],
    ["  GitHub", githubState(config)],
  ]);
  const next = table([...NEXT, ...slackStep(config), ...githubStep(config), ["  Stop", "Ctrl-C"]]);
  terminal.out(`\nInfraGPT is ready (${config.mode} mode)\n\n${places}\nTry next\n${next}\n`);
}

const NEXT = [
  ["  Ask", 'npx infragpt ask "why is this machine slow?"'],
  ["  Check", "npx infragpt doctor"],
] as const;

function slackState({ slack }: Config): string {
  if (slack === undefined) return "not configured";
  return slack.transport === "socket" ? `${slack.sockets} sockets` : "HTTP, /slack/events";
}

function githubState({ github }: Config): string {
  if (github === undefined) return "not configured";
  return github.webhookSecrets.length > 0 ? "an app, /webhooks/github" : "an app without webhooks";
}

function slackStep({ slack }: Config): readonly (readonly string[])[] {
  return slack === undefined
    ? [["  Slack", "npx infragpt slack link"]]
    : [["  Slack", "mention the bot in a channel it is a member of"]];
}

function githubStep({ github }: Config): readonly (readonly string[])[] {
  return github === undefined ? [["  GitHub", "npx infragpt github link"]] : [];
}
