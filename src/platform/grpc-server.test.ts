import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, test } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { Secret } from "@infragpt/connector-kit";
import { AgentService, type ConverseRequestSchema } from "#gen/infragpt/agent/v1/agent_pb.ts";
import { InfraGPTService } from "#gen/infragpt/v1/infragpt_pb.ts";
import {
  AppError,
  createGrpcClient,
  type GrpcContext,
  grpcService,
  publicGrpcService,
} from "./index.ts";
import {
  collect,
  dial,
  refusal,
  serve,
  signal,
  toClose,
  token,
  unexpected,
  unexpectedStream,
} from "./testing/grpc.ts";

async function* twoCancels(): AsyncGenerator<MessageInitShape<typeof ConverseRequestSchema>> {
  yield { message: { case: "cancel", value: {} } };
  yield { message: { case: "cancel", value: {} } };
}

describe("a gRPC service", () => {
  test("answers a unary call with its principal, metadata and trace id", async () => {
    let seen: GrpcContext | undefined;
    const { endpoint } = await serve({
      async sendMessage(request, context) {
        seen = context;
        return { conversationId: request.conversationId, messageId: request.text };
      },
    });

    const answer = await dial(endpoint).sendMessage(
      { conversationId: "c1", text: "hi" },
      { signal, metadata: { "x-any": "thing" } },
    );

    assert.deepEqual([answer.conversationId, answer.messageId, answer.turnId], ["c1", "hi", ""]);
    assert.equal(seen?.principal.id, "robot");
    assert.equal(seen?.metadata.get("x-any"), "thing");
    assert.match(seen?.traceId ?? "", /^[0-9a-f]{12}$/);
    assert.match(seen?.peer ?? "", /^127\.0\.0\.1:\d+$/);
  });

  test("streams its answer", async () => {
    const { endpoint } = await serve({
      async *streamMessage({ text }) {
        for (const word of text.split(" "))
          yield { event: { case: "text", value: { text: word } } };
      },
    });

    const events = await collect(dial(endpoint).streamMessage({ text: "a b c" }, { signal }));

    assert.deepEqual(
      events.map(({ event }) => event.case === "text" && event.value.text),
      ["a", "b", "c"],
    );
  });

  test("talks in both directions", async () => {
    const { endpoint } = await serve(
      {},
      {
        services: [
          grpcService(AgentService, {
            async *converse(requests) {
              for await (const { message } of requests) {
                yield { message: { case: "textDelta", value: { text: `got ${message.case}` } } };
              }
            },
          }),
        ],
      },
    );
    const connection = createGrpcClient(AgentService, { endpoint, token });
    toClose.push(connection);

    const answers = await collect(connection.client.converse(twoCancels(), { signal }));

    assert.deepEqual(
      answers.map(({ message }) => message.case === "textDelta" && message.value.text),
      ["got cancel", "got cancel"],
    );
  });

  test("refuses callers it does not know, in unary calls and in streams", async () => {
    const { endpoint } = await serve({});
    const stranger = dial(endpoint, new Secret("igpt_other"));

    const unary = await refusal(stranger.sendMessage({}, { signal }));
    const streaming = await refusal(collect(stranger.streamMessage({}, { signal })));

    assert.deepEqual([unary.code, streaming.code], ["unauthenticated", "unauthenticated"]);
  });

  test("lets anyone in when it is public", async () => {
    const { endpoint } = await serve(
      {},
      {
        services: [
          publicGrpcService(InfraGPTService, {
            sendMessage: async (_request, { principal }) => ({ turnId: principal?.id ?? "nobody" }),
            streamMessage: unexpectedStream,
            getConversation: unexpected,
            sendReply: unexpected,
          }),
        ],
      },
    );

    const answer = await dial(endpoint, "none").sendMessage({}, { signal });

    assert.equal(answer.turnId, "nobody");
  });

  test("turns an AppError into its status", async () => {
    const { endpoint } = await serve({
      getConversation: async () => {
        throw new AppError("not_found", "There is no such conversation.");
      },
      sendReply: async () => {
        throw new AppError("rate_limited", "Slow down.");
      },
    });
    const client = dial(endpoint);

    const missing = await refusal(client.getConversation({}, { signal }));
    const limited = await refusal(client.sendReply({}, { signal }));

    assert.deepEqual([missing.code, missing.details], ["not_found", { grpcStatus: 5 }]);
    assert.match(missing.message, /There is no such conversation\./);
    assert.deepEqual([limited.code, limited.details], ["rate_limited", { grpcStatus: 8 }]);
  });

  test("hides its bugs behind one sentence with a trace id that is in the log", async () => {
    const { endpoint, lines } = await serve({
      sendMessage: async () => {
        throw new TypeError("cannot read password of undefined");
      },
      async *streamMessage() {
        yield { event: { case: "text", value: { text: "first" } } };
        throw new TypeError("late");
      },
    });
    const client = dial(endpoint);

    const unary = await refusal(client.sendMessage({}, { signal }));
    const streaming = await refusal(collect(client.streamMessage({}, { signal })));

    assert.deepEqual([unary.details, streaming.details], [{ grpcStatus: 13 }, { grpcStatus: 13 }]);
    assert.doesNotMatch(unary.message, /password/);
    const traceId = /Trace id: ([0-9a-f]{12})/.exec(unary.message)?.[1];
    const logged = lines
      .map((line) => JSON.parse(line))
      .find((line) => line.traceId === traceId && line.level === "error");
    assert.match(logged.err.stack, /grpc-server\.test\.ts/);
  });

  test("ends when its caller's deadline passes, on both sides", async () => {
    const { promise: aborted, resolve: abort } = Promise.withResolvers<void>();
    const { endpoint } = await serve({
      async sendMessage(_request, context) {
        await once(context.signal, "abort");
        abort();
        return {};
      },
    });

    const error = await refusal(
      dial(endpoint).sendMessage({}, { signal, deadline: new Date(Date.now() + 100) }),
    );
    await aborted;

    assert.equal(error.code, "timeout");
  });

  test("sends the deadline along: the server gives up although the client does not", async () => {
    const { promise: aborted, resolve: abort } = Promise.withResolvers<void>();
    const { endpoint } = await serve({
      async sendMessage(_request, context) {
        await once(context.signal, "abort");
        abort();
        return {};
      },
    });

    const error = await refusal(
      dial(endpoint).sendMessage({}, { signal, metadata: { "grpc-timeout": "100m" } }),
    );
    await aborted;

    assert.deepEqual([error.code, error.details], ["timeout", { grpcStatus: 4 }]);
  });

  test("is cancelled with its caller, in the middle of a stream too", async () => {
    const { promise: aborted, resolve: abort } = Promise.withResolvers<void>();
    const { endpoint } = await serve({
      async *streamMessage(_request, context) {
        yield { event: { case: "text", value: { text: "first" } } };
        await once(context.signal, "abort");
        abort();
      },
    });
    const caller = new AbortController();

    const error = await refusal(
      (async () => {
        await collect(dial(endpoint).streamMessage({}, { signal: caller.signal }), () =>
          caller.abort(),
        );
      })(),
    );
    await aborted;

    assert.equal(error.code, "cancelled");
  });

  test("is cancelled when its caller stops listening", async () => {
    const { promise: aborted, resolve: abort } = Promise.withResolvers<void>();
    const { endpoint } = await serve({
      async *streamMessage(_request, context) {
        yield { event: { case: "text", value: { text: "first" } } };
        await once(context.signal, "abort");
        abort();
      },
    });

    const events = dial(endpoint).streamMessage({}, { signal })[Symbol.asyncIterator]();
    await events.next();
    await events.return?.();

    await aborted;
  });

  test("takes messages up to its limit and refuses larger ones", async () => {
    const { endpoint } = await serve(
      { sendMessage: async ({ text }) => ({ turnId: String(text.length) }) },
      { messageBytesMax: 1000 },
    );
    const client = dial(endpoint);

    const answer = await client.sendMessage({ text: "x".repeat(900) }, { signal });
    const error = await refusal(client.sendMessage({ text: "x".repeat(2000) }, { signal }));

    assert.equal(answer.turnId, "900");
    assert.deepEqual(error.details, { grpcStatus: 8 });
  });

  test("survives bytes that are no message and bytes that are no HTTP/2", async () => {
    const { endpoint } = await serve({ sendMessage: async () => ({ turnId: "alive" }) });
    const rough = new grpc.Client(endpoint, grpc.credentials.createInsecure());
    toClose.push(rough);
    const metadata = new grpc.Metadata();
    metadata.set("authorization", `Bearer ${token.reveal()}`);

    const status = await new Promise<grpc.ServiceError | null>((resolve) => {
      rough.makeUnaryRequest(
        "/infragpt.v1.InfraGPTService/SendMessage",
        (bytes: Buffer) => bytes,
        (bytes: Buffer) => bytes,
        Buffer.from([0xff, 0xff, 0xff]),
        metadata,
        (error) => resolve(error),
      );
    });
    const socket = connect(Number(endpoint.split(":")[1]), "127.0.0.1");
    socket.end("GET / HTTP/1.1\r\n\r\n");
    socket.resume();
    await once(socket, "close");

    assert.ok(status);
    const answer = await dial(endpoint).sendMessage({}, { signal });
    assert.equal(answer.turnId, "alive");
  });
});
