import type { ListenContext, Secret } from "@infragpt/connector-kit";
import type { SlackConfig, SlackDeps } from "./config.ts";
import { SocketLink } from "./socket-link.ts";
import { SOCKET_TIMINGS } from "./socket-timings.ts";
import type { SlackCaller } from "./web-client.ts";

/** Slack's own limit: https://docs.slack.dev/apis/events-api/using-socket-mode (2026-11). */
const SOCKETS_MAX = 10;

/**
 * Listens over Socket Mode with several links: each event goes to any one of them, so that while
 * one is being renewed the others receive.
 */
export async function listenOverSockets(
  deps: SlackDeps & { readonly caller: SlackCaller },
  config: SlackConfig & { readonly appToken: Secret },
  context: ListenContext,
): Promise<void> {
  const sockets = Math.min(SOCKETS_MAX, Math.max(1, config.sockets));
  const links = Array.from({ length: sockets }, (_, index) => {
    return new SocketLink({
      context,
      sockets,
      name: `slack socket ${index + 1}`,
      caller: deps.caller,
      appToken: config.appToken,
      apiUrl: config.apiUrl,
      clock: deps.clock ?? { now: () => new Date() },
      random: deps.random ?? Math.random,
      timings: { ...SOCKET_TIMINGS, ...deps.timings },
    });
  });
  await Promise.all(links.map((link) => link.run()));
}
