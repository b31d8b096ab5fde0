import assert from "node:assert/strict";
import { createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { once } from "node:events";
import { test } from "node:test";
import { publicGrpcService, systemClock } from "#platform";
import { AgentService } from "#gen/original/agent_pb.ts";
import { createAgents } from "./create-agents.ts";
import type { AgentConfig, AgentEvent } from "./model.ts";
import { aConfig, aRequest, collect, memoryLog, portOf, serve } from "./testing.ts";

async function ask(endpoint: string, overrides: Partial<AgentConfig> = {}): Promise<AgentEvent[]> {
  const config = aConfig(endpoint, { protocol: "unary", ...overrides });
  const agents = createAgents({ configs: [config], log: memoryLog().log, clock: systemClock });
  try {
    return await collect(agents.converse(aRequest(), { signal: AbortSignal.timeout(10_000) }));
  } finally {
    agents.close();
  }
}

/** A protobuf field that holds bytes, made by hand: the wire is the contract, not our generated code. */
function field(number: number, value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  assert.ok(bytes.length < 128 * 128);
  const length =
    bytes.length < 128 ? [bytes.length] : [(bytes.length % 128) + 128, bytes.length >> 7];
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes]);
}

function grpcFrame(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

test("sends and reads the original's bytes", async () => {
  let headers: IncomingHttpHeaders = {};
  let body = Buffer.alloc(0);
  const http2 = createServer();
  http2.on("stream", (stream: ServerHttp2Stream, received) => {
    headers = received;
    stream.on("data", (chunk: Buffer) => (body = Buffer.concat([body, chunk])));
    stream.on("end", () => {
      stream.respond(
        { ":status": 200, "content-type": "application/grpc" },
        { waitForTrailers: true },
      );
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      // success = true, response_text, agent_type, confidence = 0.5, tools_used.
      const answer = [
        Buffer.from([0x08, 1]),
        field(2, "It is DNS."),
        field(4, "main"),
        Buffer.from([0x2d, 0, 0, 0, 0x3f]),
        field(6, "dig"),
      ];
      stream.end(grpcFrame(Buffer.concat(answer)));
    });
  });
  http2.listen(0, "127.0.0.1");
  await once(http2, "listening");

  const events = await ask(`127.0.0.1:${portOf(http2)}`, {
    timeoutMs: 7000,
  });
  http2.close();

  const context =
    '{"surface":"slack","organization_id":"org-1","turn_id":"turn-1","trace_id":"abc123","message_id":"m3"}';
  const expected = Buffer.concat([
    field(1, "conversation-1"),
    field(2, "why is checkout slow?"),
    field(
      3,
      Buffer.concat([
        field(1, "m1"),
        field(2, "hello"),
        field(3, "user/U1"),
        field(4, "2026-11-23T08:00:00.000Z"),
      ]),
    ),
    field(
      3,
      Buffer.concat([
        field(1, "m2"),
        field(2, "Hello Ann."),
        field(3, "agent"),
        field(4, "2026-11-23T08:00:01.000Z"),
      ]),
    ),
    field(4, context),
    field(5, "U1"),
    field(6, "C1"),
  ]);
  assert.equal(body.toString("hex"), grpcFrame(expected).toString("hex"));
  assert.equal(headers[":path"], "/agent.AgentService/ProcessMessage");
  const timeoutMs = Number(/^(\d+)m$/.exec(String(headers["grpc-timeout"]))?.[1]);
  assert.ok(
    timeoutMs > 5000 && timeoutMs <= 7000,
    `grpc-timeout: ${String(headers["grpc-timeout"])}`,
  );
  assert.deepEqual(events, [
    { kind: "started", agent: "default" },
    { kind: "final", agent: "default", text: "It is DNS." },
  ]);
});

test("keeps the error message of an agent that failed for the log", async () => {
  await using server = await serve([
    publicGrpcService(AgentService, {
      processMessage: async () => ({
        success: false,
        errorMessage: "no quota",
        responseText: "partial",
      }),
    }),
  ]);

  await assert.rejects(ask(server.endpoint), { kind: "failed", message: /no quota/ });
});

test("accepts an empty answer of an agent that already replied through SendReply", async () => {
  await using server = await serve([
    publicGrpcService(AgentService, { processMessage: async () => ({ success: true }) }),
  ]);

  assert.deepEqual((await ask(server.endpoint)).at(-1), {
    kind: "final",
    agent: "default",
    text: "",
  });
});

test("cleans and bounds what the original protocol returns", async () => {
  let responseText = "fine\u202e\u{e0041}\u0000";
  await using server = await serve([
    publicGrpcService(AgentService, {
      processMessage: async () => ({ success: true, responseText }),
    }),
  ]);

  const [, final] = await ask(server.endpoint);
  responseText = "x".repeat(200_001);

  assert.deepEqual(final, { kind: "final", agent: "default", text: "fine" });
  await assert.rejects(ask(server.endpoint), { kind: "failed" });
});

test("ends the call of an agent that takes too long", async () => {
  const ended = Promise.withResolvers<void>();
  await using server = await serve([
    publicGrpcService(AgentService, {
      async processMessage(_request, { signal }) {
        signal.addEventListener("abort", () => ended.resolve());
        await ended.promise;
        return { success: true };
      },
    }),
  ]);

  await assert.rejects(ask(server.endpoint, { timeoutMs: 200 }), { kind: "timeout" });
  await ended.promise;
});
