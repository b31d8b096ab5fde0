import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { createGrpcClient } from "#platform";
import { InfraGPTService } from "#gen/infragpt/v1/infragpt_pb.ts";
import { createTestDatabase } from "../support/database.ts";
import { aHome, startService } from "../support/service.ts";

const MAIN = join(import.meta.dirname, "../../examples/agent/main.ts");

async function startExample() {
  const child = spawn(process.execPath, [MAIN, "0"], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  const endpoint = /listens at (\S+)$/.exec(String(line))?.[1];
  assert.ok(endpoint, "the example did not say where it listens");
  return {
    endpoint,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

for (const protocol of ["stream", "unary"] as const) {
  test(`the example agent answers over the ${protocol} protocol`, async () => {
    await using agent = await startExample();
    await using database = await createTestDatabase();
    using home = aHome();
    await using service = await startService({
      databaseUrl: database.url,
      home: home.path,
      agents: [{ name: "example", endpoint: agent.endpoint, protocol }],
    });
    const connection = createGrpcClient(InfraGPTService, { endpoint: service.addresses.grpc });

    const events = await Array.fromAsync(
      connection.client.streamMessage(
        { text: "why?", idempotencyKey: "once" },
        { signal: AbortSignal.timeout(30_000) },
      ),
    );
    connection.close();

    const last = events.at(-1)?.event;
    assert.equal(last?.case, "finished");
    assert.equal(last?.value.text, "You asked: **why?**\n\nI know 0 earlier messages.");
    assert.equal(last?.value.agent, "example");
  });
}
