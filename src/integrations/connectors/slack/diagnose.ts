import { ConnectorError, type Secret } from "@infragpt/connector-kit";
import type { SlackConfig } from "./config.ts";
import { identifyAccount, listMissingScopes } from "./identify.ts";
import { openSocket } from "./open-socket.ts";
import { SOCKET_TIMINGS } from "./socket-timings.ts";
import { createSlackCaller, type SlackCaller } from "./web-client.ts";

/** One finding of `diagnose`: what was looked at, whether it is well, and what to do if not. */
export interface DiagnosisLine {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** Looks at everything the Slack app needs, for people. Never rejects, and never names a secret. */
export async function diagnose(
  config: SlackConfig,
  { signal }: { readonly signal: AbortSignal },
): Promise<readonly DiagnosisLine[]> {
  const caller = createSlackCaller(config);
  const [bot, transport] = await Promise.all([
    diagnoseBot(caller, config, signal),
    config.transport === "http"
      ? [diagnoseSigningSecret(config)]
      : diagnoseSockets(caller, config, signal),
  ]);
  return [...bot, ...transport];
}

async function diagnoseBot(
  caller: SlackCaller,
  config: SlackConfig,
  signal: AbortSignal,
): Promise<readonly DiagnosisLine[]> {
  const name = "slack bot token";
  if (config.botToken === undefined) {
    return [{ name, ok: true, detail: "not configured: workspaces are connected by OAuth" }];
  }
  try {
    const profile = await identifyAccount(caller, config.botToken, { signal });
    const detail = `speaks for ${profile.accountName} (${profile.accountId})`;
    const missing = listMissingScopes(profile);
    const scopes: DiagnosisLine = {
      name: "slack scopes",
      ok: missing.length === 0,
      detail:
        missing.length === 0
          ? "all that are needed"
          : `missing: ${missing.join(", ")}; add them and reinstall the app`,
    };
    return [{ name, ok: true, detail }, scopes];
  } catch (error) {
    return [{ name, ok: false, detail: describe(error) }];
  }
}

function diagnoseSigningSecret(config: SlackConfig): DiagnosisLine {
  const count = config.signingSecrets?.length ?? 0;
  const detail = count > 0 ? "configured" : "missing: Slack's requests cannot be verified";
  return { name: "slack signing secret", ok: count > 0, detail };
}

async function diagnoseSockets(
  caller: SlackCaller,
  config: SlackConfig,
  signal: AbortSignal,
): Promise<readonly DiagnosisLine[]> {
  const name = "slack app token";
  if (config.appToken === undefined) {
    return [{ name, ok: false, detail: "missing: Socket Mode needs one (xapp-…)" }];
  }
  try {
    const connections = await countConnections(caller, config, config.appToken, signal);
    return [{ name, ok: true, detail: "opens sockets" }, judgeConnections(config, connections)];
  } catch (error) {
    return [{ name, ok: false, detail: describe(error) }];
  }
}

/**
 * Opens one socket for as long as its hello frame takes. An event that Slack sends to it in that
 * moment is not acknowledged, so that Slack sends it again to a socket that stores it.
 */
async function countConnections(
  caller: SlackCaller,
  config: SlackConfig,
  appToken: Secret,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { socket, connections } = await openSocket(
    {
      caller,
      appToken,
      apiUrl: config.apiUrl,
      name: "slack diagnosis",
      clock: { now: () => new Date() },
      timings: SOCKET_TIMINGS,
      log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
      deliver: () => Promise.reject(new Error("a diagnosis stores nothing")),
    },
    { signal },
  );
  socket.stopReading();
  await socket.close();
  return connections;
}

function judgeConnections(config: SlackConfig, connections: number | undefined): DiagnosisLine {
  const name = "slack connections";
  if (connections === undefined) return { name, ok: true, detail: "Slack does not say how many" };
  const others = connections - 1;
  if (others <= config.sockets) {
    return { name, ok: true, detail: `${others} besides this check` };
  }
  const detail =
    `${others} besides this check, but one service opens ${config.sockets}: ` +
    "a second install shares the app token and takes a part of the events";
  return { name, ok: false, detail };
}

function describe(error: unknown): string {
  return error instanceof ConnectorError ? error.message : "an unexpected failure";
}

function ignore(): void {}
