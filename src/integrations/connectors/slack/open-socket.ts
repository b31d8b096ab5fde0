import { ConnectorError, type Secret } from "@infragpt/connector-kit";
import { SlackSocket } from "./slack-socket.ts";
import type { SlackCaller } from "./web-client.ts";
import { textIn } from "./untrusted.ts";

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
    throw new ConnectorError("unavailable", `Slack's socket did not open: ${why}`, { cause });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", giveUp);
  }
}

async function getSocketUrl(deps: OpenSocketDeps, signal: AbortSignal): Promise<string> {
  const answer = await deps.caller.call(deps.appToken, "apps.connections.open", {}, { signal });
  const url = textIn(answer.body, "url");
  const parsed = url === undefined ? null : URL.parse(url);
  const isPlainAllowed = new URL(deps.apiUrl).protocol === "http:";
  const isUsable = parsed?.protocol === "wss:" || (parsed?.protocol === "ws:" && isPlainAllowed);
  if (parsed === null || !isUsable) {
    throw new ConnectorError("unavailable", "Slack gave no usable address for Socket Mode");
  }
  return parsed.href;
}
