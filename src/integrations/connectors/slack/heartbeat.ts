import type { WebSocket } from "ws";
import type { SocketTimings } from "./socket-timings.ts";

type HeartbeatTimings = Pick<SocketTimings, "pingIntervalMs" | "pongTimeoutMs" | "serverSilenceMs">;

/**
 * Notices a half-open link, which no error ever tells of: our ping stays without any answer, or
 * Slack, which pings about every 10 s, has stopped. Returns how to stop watching.
 */
export function watchHeartbeat(
  socket: WebSocket,
  timings: HeartbeatTimings,
  onDead: (reason: string) => void,
): () => void {
  let awaitedPong: NodeJS.Timeout | undefined;
  let serverSilence: NodeJS.Timeout | undefined;
  let heardCount = 0;

  function hearPong(): void {
    heardCount += 1;
    clearTimeout(awaitedPong);
    awaitedPong = undefined;
  }

  function hear(): void {
    hearPong();
    serverSilence?.refresh();
  }

  function hearPing(): void {
    hear();
    serverSilence ??= setTimeout(() => suspect("Slack stopped pinging"), timings.serverSilenceMs);
  }

  function ping(): void {
    // While we do not read, an unread pong proves nothing.
    if (socket.isPaused || socket.readyState !== socket.OPEN) return;
    awaitedPong ??= setTimeout(() => suspect("no answer to a ping"), timings.pongTimeoutMs);
    socket.ping(ignoreError);
  }

  /** After a stall of our own process an answer may lie unread: one turn of the loop reads it. */
  function suspect(reason: string): void {
    const heardBefore = heardCount;
    setImmediate(() => {
      setImmediate(() => {
        if (heardCount === heardBefore && !socket.isPaused) onDead(reason);
      });
    });
  }

  socket.on("ping", hearPing);
  socket.on("pong", hearPong);
  socket.on("message", hear);
  const interval = setInterval(ping, timings.pingIntervalMs);

  return () => {
    clearInterval(interval);
    clearTimeout(awaitedPong);
    clearTimeout(serverSilence);
    socket.removeListener("ping", hearPing);
    socket.removeListener("pong", hearPong);
    socket.removeListener("message", hear);
  };
}

function ignoreError(): void {}
