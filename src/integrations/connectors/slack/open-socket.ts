import { ConnectorError, type Secret, textIn } from "@infragpt/connector-kit";
import { SlackSocket } from "./slack-socket.ts";
import type { SlackCaller } from "./web-client.ts";

type SlackSocketDeps = ConstructorParameters<typeof SlackSocket>[0];

export interface OpenSocketDeps extends SlackSocketDeps {
  readonly caller: SlackCaller;
  readonly appToken: Secret;
  readonly apiUrl: string;
}

export interface OpenedSocket {
  readonly socket: SlackSocket;
  /** How many connections share the app token, ours included, where Slack says it. */
  readonly connections: number | undefined;
}

/** Asks Slack for an address, connects and waits for the hello frame. Throws ConnectorError. */
export async function openSocket(
  deps: OpenSocketDeps,
  { signal }: { readonly signal: AbortSignal },
): Promise<OpenedSocket> {
  const url = await getSocketUrl(deps, signal);
  const socket = new SlackSocket(deps, url);
  const timer = setTimeout(
    () => socket.terminate("no hello frame in time"),
    deps.timings.helloTimeoutMs,
  );
  function giveUp(): void {
    socket.terminate("stopping");
  }
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    return { socket, connections: await socket.hello };
  } catch (cause) {
    // The address carries a ticket: it stays out of the message.
    const why = cause instanceof Error ? cause.message : "unknown";
    socket.terminate(why);
    throw new ConnectorError("unavailable", `Slack's socket did not open: ${why}`, { cause });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", giveUp);
  }
}

async function getSocketUrl(deps: OpenSocketDeps, signal: AbortSignal): Promise<string> {
  const url = await askForUrl(deps, signal);
  const parsed = url === undefined ? null : URL.parse(url);
  const isPlainAllowed = new URL(deps.apiUrl).protocol === "http:";
  const isUsable = parsed?.protocol === "wss:" || (parsed?.protocol === "ws:" && isPlainAllowed);
  if (parsed === null || !isUsable) {
    throw new ConnectorError("unavailable", "Slack gave no usable address for Socket Mode");
  }
  return parsed.href;
}

async function askForUrl(deps: OpenSocketDeps, signal: AbortSignal): Promise<string | undefined> {
  try {
    const method = "apps.connections.open";
    const { body } = await deps.caller.call(deps.appToken, method, {}, { signal });
    return textIn(body, "url");
  } catch (error) {
    if (!(error instanceof ConnectorError) || !TOKEN_PROBLEMS.has(error.kind)) throw error;
    const { vendorCode = "unknown" } = error;
    const message =
      `Slack refused the app token (${vendorCode}): ` +
      "it must start with xapp- and have the scope connections:write";
    throw new ConnectorError(error.kind, message, { vendorCode, cause: error });
  }
}

const TOKEN_PROBLEMS: ReadonlySet<string> = new Set(["unauthorized", "missing_permission"]);
