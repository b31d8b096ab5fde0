import { type Server, createServer } from "node:http";

import { Api } from "./api.ts";
import { makeAppIdentity } from "./app-identity.ts";
import { Browser } from "./browser.ts";
import type { Core } from "./core.ts";
import { Credentials } from "./credentials.ts";
import { Deliveries } from "./deliveries.ts";
import type { FakeGitHub } from "./fake-github.ts";
import { Installations } from "./installations.ts";
import { makeFakeGitHub } from "./make-fake-github.ts";
import type { FakeGitHubOptions } from "./model.ts";
import { World } from "./world.ts";

const CLOSED = "the fake GitHub was closed";

/** Starts a GitHub with one App on a free loopback port. Close it with `await using`. */
export async function startFakeGitHub(options: FakeGitHubOptions = {}): Promise<FakeGitHub> {
  const { now = Date.now, pageSizeMax = 100 } = options;
  const closing = new AbortController();
  const app = makeAppIdentity(options);
  const world = new World(now);
  const server = makeServer(() => api);
  const webUrl = await listen(server);
  const deps = {
    app,
    world,
    credentials: new Credentials(now),
    deliveries: new Deliveries(app, now, closing.signal),
    apiUrl: `${webUrl}/api/v3`,
    webUrl,
  };
  const installations = new Installations(deps);
  const core: Core = { ...deps, installations, tokenRequests: [], pageSizeMax };
  const api = new Api(core);
  return makeFakeGitHub({
    core,
    api,
    browser: new Browser(deps, installations),
    async close() {
      closing.abort(new Error(CLOSED));
      world.change.end(CLOSED);
      server.closeAllConnections();
      await Promise.all([
        deps.deliveries.settled(),
        new Promise<void>((resolve) => server.close(() => resolve())),
      ]);
    },
  });
}

function makeServer(api: () => Api): Server {
  const server = createServer((request, response) => {
    api()
      .handle(request, response)
      .catch((error: unknown) => {
        // A killed client is a part of the game; anything else should be seen.
        if (request.destroyed || response.headersSent) return;
        response.writeHead(500).end(String(error));
        console.error("fake GitHub failed:", error);
      });
  });
  // Longer than any test: a socket closed while the client reuses it would look like a fault.
  server.keepAliveTimeout = 120_000;
  return server;
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (typeof address !== "object" || !address) throw new Error("the fake GitHub has no port");
  return `http://127.0.0.1:${address.port}`;
}
