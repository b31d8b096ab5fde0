import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { dial, refusal, serve, signal } from "./testing/grpc.ts";

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
