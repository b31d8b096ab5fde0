import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { connect } from "node:net";
import { once } from "node:events";
import { after, describe, test } from "node:test";
import { Secret } from "@infragpt/connector-kit";
import * as grpc from "@grpc/grpc-js";
import { createChannel, createClient } from "nice-grpc";
import { HealthDefinition } from "nice-grpc-server-health";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { AgentService, type ConverseRequestSchema } from "#gen/infragpt/agent/v1/agent_pb.ts";
import { InfraGPTService } from "#gen/infragpt/v1/infragpt_pb.ts";
import {
  AppError,
  createGrpcClient,
  createGrpcServer,
  createIds,
  createLog,
  createScrubber,
  type GrpcContext,
  type GrpcImplementation,
  type GrpcServer,
  type GrpcServerOptions,
  grpcService,
  type Principal,
  publicGrpcService,
} from "./index.ts";

const robot: Principal = {
  kind: "service",
  organizationId: "org-1",
  id: "robot",
  permissions: new Set(),
};
const token = new Secret("igpt_robot");
const signal = new AbortController().signal;

const toClose: { close(): void }[] = [];
const servers: GrpcServer[] = [];
after(async () => {
  for (const one of toClose) one.close();
  for (const server of servers) await server.stop(0);
});

type InfraGptMethods = (typeof InfraGPTService)["method"];

async function unexpected(): Promise<never> {
  throw new AppError("internal", "This test does not call it.");
}

// oxlint-disable-next-line require-yield
async function* unexpectedStream(): AsyncGenerator<never> {
  throw new AppError("internal", "This test does not call it.");
}

function infraGpt(
  methods: Partial<GrpcImplementation<InfraGptMethods>>,
): GrpcImplementation<InfraGptMethods> {
  return {
    sendMessage: unexpected,
    streamMessage: unexpectedStream,
    getConversation: unexpected,
    sendReply: unexpected,
    ...methods,
  };
}

async function serve(
  methods: Partial<GrpcImplementation<InfraGptMethods>>,
  options: Partial<GrpcServerOptions> = {},
): Promise<{ endpoint: string; server: GrpcServer; lines: string[] }> {
  const lines: string[] = [];
  const log = createLog({
    level: "debug",
    format: "json",
    scrubber: createScrubber(),
    destination: { write: (line) => lines.push(line) },
  });
  const server = createGrpcServer({
    log,
    host: "127.0.0.1",
    port: 0,
    ids: createIds(),
    services: [grpcService(InfraGPTService, infraGpt(methods))],
    authenticate: async ({ authorization }) =>
      authorization === `Bearer ${token.reveal()}` ? robot : undefined,
    isReflectionOn: false,
    ...options,
  });
  servers.push(server);
  const { port } = await server.start();
  return { endpoint: `127.0.0.1:${port}`, server, lines };
}

function dial(
  endpoint: string,
  withToken: Secret | "none" = token,
): ReturnType<typeof createGrpcClient<InfraGptMethods>>["client"] {
  const connection = createGrpcClient(InfraGPTService, {
    endpoint,
    ...(withToken === "none" ? {} : { token: withToken }),
  });
  toClose.push(connection);
  return connection.client;
}

async function refusal(call: Promise<unknown>): Promise<AppError> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof AppError, String(error));
    return error;
  }
  return assert.fail("the call succeeded");
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) collected.push(item);
  return collected;
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
    const { client, close } = createGrpcClient(AgentService, { endpoint, token });
    toClose.push({ close });
    async function* requests(): AsyncGenerator<MessageInitShape<typeof ConverseRequestSchema>> {
      yield { message: { case: "cancel", value: {} } };
      yield { message: { case: "cancel", value: {} } };
    }

    const answers = await collect(client.converse(requests(), { signal }));

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
    assert.match(logged.err.stack, /grpc\.test\.ts/);
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
        for await (const _event of dial(endpoint).streamMessage({}, { signal: caller.signal }))
          caller.abort();
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

    for await (const _event of dial(endpoint).streamMessage({}, { signal })) break;

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

describe("a gRPC client", () => {
  test("says that nobody listens", async () => {
    const { endpoint, server } = await serve({});
    await server.stop(0);

    const error = await refusal(
      dial(endpoint).sendMessage({}, { signal, deadline: new Date(Date.now() + 5000) }),
    );

    assert.deepEqual([error.code, error.details], ["unavailable", { grpcStatus: 14 }]);
    assert.ok(!error.message.includes("igpt_robot"));
  });

  for (const template of [
    "[::]:PORT",
    "0.0.0.0:PORT",
    "localhost:PORT",
    ":PORT",
    "dns:///localhost:PORT",
    "http://127.0.0.1:PORT",
  ]) {
    test(`reaches this machine at ${template}`, async () => {
      const { endpoint } = await serve({ sendMessage: async () => ({ turnId: "here" }) });
      const address = template.replace("PORT", endpoint.split(":")[1] ?? "");

      const answer = await dial(address).sendMessage({}, { signal });

      assert.equal(answer.turnId, "here");
    });
  }

  test("does not call at all when the signal is already aborted", async () => {
    const { endpoint } = await serve({});

    const error = await refusal(dial(endpoint).sendMessage({}, { signal: AbortSignal.abort() }));

    assert.equal(error.code, "cancelled");
  });

  test("reaches a server that comes back", async () => {
    const first = await serve({ sendMessage: async () => ({ turnId: "first" }) });
    const client = dial(first.endpoint);
    await client.sendMessage({}, { signal });
    await first.server.stop(0);
    await refusal(client.sendMessage({}, { signal }));
    await serve(
      { sendMessage: async () => ({ turnId: "second" }) },
      { port: Number(first.endpoint.split(":")[1]) },
    );

    let answered: string | undefined;
    while (answered === undefined) {
      answered = await client.sendMessage({}, { signal }).then(
        ({ turnId }) => turnId,
        () => undefined,
      );
    }

    assert.equal(answered, "second");
  });
});

describe("health", () => {
  test("is told without a token, for the server and for each service", async () => {
    const { endpoint, server } = await serve({});
    const channel = createChannel(endpoint);
    toClose.push(channel);
    const health = createClient(HealthDefinition, channel);

    const whole = await health.check({ service: "" });
    server.setServing(false, "infragpt.v1.InfraGPTService");
    const service = await health.check({ service: "infragpt.v1.InfraGPTService" });
    server.setServing(false);
    const down = await health.check({ service: "" });

    assert.deepEqual([whole.status, service.status, down.status], [1, 2, 2]);
    await assert.rejects(health.check({ service: "nobody" }));
  });
});

describe("reflection", () => {
  for (const version of ["v1", "v1alpha"]) {
    test(`describes the services to ${version} clients`, async () => {
      const { endpoint } = await serve({}, { isReflectionOn: true });
      const ask = reflectionClient(endpoint, version);

      const services = await ask({ listServices: "*" });
      const symbol = await ask({ fileContainingSymbol: "infragpt.v1.InfraGPTService" });
      const missing = await ask({ fileContainingSymbol: "nothing.Here" });

      assert.deepEqual(services["listServicesResponse"], {
        service: [{ name: "infragpt.v1.InfraGPTService" }],
      });
      const { fileDescriptorProto } = symbol["fileDescriptorResponse"] as {
        fileDescriptorProto: Buffer[];
      };
      assert.ok(fileDescriptorProto.some((file) => file.includes("infragpt/v1/infragpt.proto")));
      assert.ok(
        fileDescriptorProto.some((file) => file.includes("google/protobuf/timestamp.proto")),
      );
      assert.ok(missing["errorResponse"]);
    });
  }

  test("is absent unless it is on", async () => {
    const { endpoint } = await serve({});

    await assert.rejects(reflectionClient(endpoint, "v1")({ listServices: "*" }), { code: 12 });
  });
});

type Reflected = Record<string, unknown>;

function reflectionClient(
  endpoint: string,
  version: string,
): (question: object) => Promise<Reflected> {
  const require = createRequire(import.meta.url);
  const loader = createRequire(require.resolve("@grpc/reflection"))("@grpc/proto-loader");
  const root = require.resolve("@grpc/reflection").replace(/build\/.*/, "");
  const definition = loader.loadSync(
    `${root}build/proto/grpc/reflection/${version}/reflection.proto`,
    { oneofs: true },
  );
  const { ServerReflection } = (grpc.loadPackageDefinition(definition) as any).grpc.reflection[
    version
  ];
  const client = new ServerReflection(endpoint, grpc.credentials.createInsecure());
  toClose.push(client);
  return (question) =>
    new Promise((resolve, reject) => {
      const stream = client.serverReflectionInfo();
      stream.on("data", (answer: Reflected) => {
        resolve(answer);
        stream.end();
      });
      stream.on("error", reject);
      stream.write(question);
    });
}

describe("stop", () => {
  test("waits for running calls", async () => {
    const { promise: entered, resolve: enter } = Promise.withResolvers<void>();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { endpoint, server } = await serve({
      async sendMessage() {
        enter();
        await released;
        return { turnId: "done" };
      },
    });
    const running = dial(endpoint).sendMessage({}, { signal });
    await entered;

    const stopped = server.stop(10_000);
    release();

    assert.equal((await running).turnId, "done");
    await stopped;
  });

  test("cancels what hangs beyond its grace, health watchers included", async () => {
    const { promise: entered, resolve: enter } = Promise.withResolvers<void>();
    const { endpoint, server } = await serve({
      async sendMessage(_request, context) {
        enter();
        await once(context.signal, "abort");
        throw context.signal.reason;
      },
    });
    const channel = createChannel(endpoint);
    toClose.push(channel);
    const watching = collect(createClient(HealthDefinition, channel).watch({ service: "" })).catch(
      () => [],
    );
    const running = refusal(dial(endpoint).sendMessage({}, { signal }));
    await entered;

    await server.stop(50);

    assert.equal((await running).code, "cancelled");
    await watching;
  });
});
