import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { ResolveName } from "./egress-connect.ts";
import { AppError, type GuardedFetchOptions } from "./index.ts";

export interface Local extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly connections: () => number;
  readonly requests: readonly IncomingMessage[];
}

export async function serve(
  listener: RequestListener = (_, response) => response.end("hello"),
): Promise<Local> {
  return listening(createServer(), listener, "http");
}

export async function listening(
  server: Server,
  listener: RequestListener,
  scheme: string,
): Promise<Local> {
  let connections = 0;
  const requests: IncomingMessage[] = [];
  server.on("connection", () => (connections += 1));
  server.on("request", (request, response) => {
    requests.push(request);
    listener(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return {
    url: `${scheme}://127.0.0.1:${port}`,
    port,
    connections: () => connections,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

export function resolvesTo(...addresses: readonly string[]): ResolveName {
  return async () =>
    addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
}

/** This machine counts as the far side of the wire. */
export const LOCAL: GuardedFetchOptions = { isLoopbackAllowed: true };

export function refusedAs(code: string, message = /./): (error: unknown) => boolean {
  return (error: unknown) =>
    error instanceof AppError && error.code === code && message.test(error.message);
}
