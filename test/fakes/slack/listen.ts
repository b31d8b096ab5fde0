import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";

import type { ResponseUrls } from "./response-urls.ts";
import type { SocketHub } from "./socket-hub.ts";
import type { WebApi } from "./web-api.ts";

interface Parts {
  readonly webApi: WebApi;
  readonly hub: SocketHub;
  readonly responseUrls: ResponseUrls;
}

/** Starts the one server: /api/<method>, /link (WebSocket), /response/…. */
export async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (typeof address !== "object" || !address) throw new Error("the fake Slack has no port");
  return `127.0.0.1:${address.port}`;
}

export function makeServer(parts: () => Parts): Server {
  const server = createServer((request, response) => {
    route(parts(), request, response).catch((error: unknown) => {
      // A killed client is a part of the game; anything else should be seen.
      if (!request.destroyed && !response.headersSent) {
        response.writeHead(500).end(String(error));
        console.error("fake Slack failed:", error);
      }
    });
  });
  // Longer than any test: a socket closed while the client reuses it would look like a fault.
  server.keepAliveTimeout = 120_000;
  server.on("upgrade", (request, socket, head) => parts().hub.upgrade(request, socket, head));
  return server;
}

async function route(
  { webApi, responseUrls }: Parts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname } = new URL(request.url ?? "/", "http://localhost");
  if (pathname.startsWith("/response/")) {
    await responseUrls.handle(pathname, request, response);
  } else if (pathname.startsWith("/api/")) {
    await webApi.handle(pathname.slice("/api/".length), request, response);
  } else {
    response.writeHead(404).end();
  }
}
