// The peer: a minimal app on @octokit/webhooks as its documentation shows it. It stores nothing.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createNodeMiddleware, Webhooks } from "@octokit/webhooks";
import { answerUsage } from "./usage.ts";

const webhooks = new Webhooks({ secret: process.argv[2] ?? "" });
webhooks.on("push", () => undefined);
const middleware = createNodeMiddleware(webhooks, { path: "/webhooks/github" });
const server = createServer((request, response) => void middleware(request, response));
answerUsage();
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  process.send?.({ kind: "ready", url: `http://127.0.0.1:${port}` });
});
