import type { App } from "#app";
import type { Config } from "#config";
import type { Log } from "#platform";
import { table, type Terminal } from "./terminal.ts";

interface Announcement {
  readonly app: App;
  readonly config: Config;
  readonly log: Log;
  readonly terminal: Terminal;
}

/** Says where everything is and what to try next: for people on a terminal, as log lines otherwise. */
export async function announce({ app, config, log, terminal }: Announcement): Promise<void> {
  const { http, grpc, database } = app.addresses;
  const { agents, connections } = await app.states();
  if (config.logFormat === "json") {
    log.info({ address: http }, "the console and the HTTP API are ready");
    log.info({ address: grpc }, "gRPC is ready");
    log.info({ place: database }, "the database is ready");
    for (const { name, state, detail } of agents) log.info({ name, state, detail }, "agent");
    for (const { name, state, detail } of connections)
      log.info({ name, state, detail }, "connection");
    log.info({ mode: config.mode }, "InfraGPT is ready");
    return;
  }
  const places = table([
    ["  Console", http],
    ["  gRPC", grpc],
    ["  Database", database],
    ...agents.map(({ name, detail }) => ["  Agent", `${name}: ${detail}`]),
    ...(connections.length === 0 ? [["  Slack", "not connected"]] : []),
    ...connections.map(({ name, detail }) => ["  Connection", `${name}: ${detail}`]),
  ]);
  terminal.out(`\nInfraGPT is ready (${config.mode} mode)\n\n${places}\n${nextSteps(config)}\n`);
}

function nextSteps({ slack }: Config): string {
  const steps = [
    ["  Ask", 'npx infragpt ask "why is this machine slow?"'],
    ["  Check", "npx infragpt doctor"],
    slack === undefined
      ? [
          "  Connect Slack",
          "slack.app_token and slack.bot_token in config.yaml; see config.example.yaml",
        ]
      : ["  In Slack", "mention the bot in a channel it is a member of"],
    ["  Stop", "Ctrl-C"],
  ];
  return `Try next\n${table(steps)}`;
}
