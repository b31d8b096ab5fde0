/** The agent's own process: serves both protocols and health, and talks to the test over IPC. */
import { Server, ServerCredentials } from "@grpc/grpc-js";

import { HEALTH_SERVICE, Health } from "./health.ts";
import { type Order, type Report, StartOrder } from "./ipc.ts";
import { makeStreamService, STREAM_SERVICE } from "./stream-protocol.ts";
import { TurnRunner } from "./turn-runner.ts";
import { makeUnaryService, UNARY_SERVICE } from "./unary-protocol.ts";

function report(message: Report): void {
  if (process.connected) process.send?.(message);
}

async function main(start: StartOrder): Promise<void> {
  const runner = new TurnRunner({ ...start, report });
  const health = new Health();
  const server = new Server();
  server.addService(STREAM_SERVICE, makeStreamService(runner));
  server.addService(UNARY_SERVICE, makeUnaryService(runner));
  server.addService(HEALTH_SERVICE, health.service());
  process.on("message", (order: Order) => {
    obey(order, runner, health);
    report({ kind: "done" });
  });
  // Never outlives the test.
  process.on("disconnect", () => process.exit(0));
  const port = await bind(server, start.port);
  report({ kind: "listening", port });
}

function bind(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
}

function obey(order: Order, runner: TurnRunner, health: Health): void {
  switch (order.kind) {
    case "behaviour":
      runner.behaviour = order.behaviour;
      break;
    case "backend":
      runner.backend = order.endpoint;
      break;
    case "health":
      health.set(order.isServing);
      break;
    case "pause":
      runner.pause();
      break;
    case "release":
      runner.release();
      break;
  }
}

await main(StartOrder.parse(JSON.parse(process.argv[2] ?? "{}")));
