import assert from "node:assert/strict";
import { once } from "node:events";
import { createRequire } from "node:module";
import { describe, test } from "node:test";
import * as grpc from "@grpc/grpc-js";
import { createChannel, createClient } from "nice-grpc";
import { HealthDefinition } from "nice-grpc-server-health";
import { collect, dial, refusal, serve, signal, toClose } from "./testing/grpc.ts";

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

      assert.deepEqual(services.listServicesResponse, {
        service: [{ name: "infragpt.v1.InfraGPTService" }],
      });
      const { fileDescriptorProto } = symbol.fileDescriptorResponse;
      assert.ok(fileDescriptorProto.some((file) => file.includes("infragpt/v1/infragpt.proto")));
      assert.ok(
        fileDescriptorProto.some((file) => file.includes("google/protobuf/timestamp.proto")),
      );
      assert.ok(missing.errorResponse);
    });
  }

  test("is absent unless it is on", async () => {
    const { endpoint } = await serve({});

    await assert.rejects(reflectionClient(endpoint, "v1")({ listServices: "*" }), { code: 12 });
  });
});

interface Reflected {
  readonly listServicesResponse: object;
  readonly fileDescriptorResponse: { readonly fileDescriptorProto: readonly Buffer[] };
  readonly errorResponse: object;
}

/** Speaks from the proto file that the library ships, as other tools do. */
function reflectionClient(
  endpoint: string,
  version: string,
): (question: object) => Promise<Reflected> {
  const library = createRequire(import.meta.url).resolve("@grpc/reflection");
  const file = `${library.replace(/build\/.*/, "")}build/proto/grpc/reflection/${version}/reflection.proto`;
  const loaded = createRequire(library)("@grpc/proto-loader").loadSync(file, { oneofs: true });
  const { ServerReflectionInfo: info } = loaded[`grpc.reflection.${version}.ServerReflection`];
  const client = new grpc.Client(endpoint, grpc.credentials.createInsecure());
  toClose.push(client);
  return async function ask(question) {
    const stream = client.makeBidiStreamRequest(
      info.path,
      info.requestSerialize,
      info.responseDeserialize,
    );
    stream.write(question);
    const [answer] = await once(stream, "data");
    stream.end();
    return answer;
  };
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
