import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { createIds, noFailpoint, traceIdOf } from "./index.ts";

test("a failpoint kills its process at its own name and at no other", async () => {
  const door = new URL("./index.ts", import.meta.url).href;
  const code = `import { killAt } from ${JSON.stringify(door)};
    const failpoint = killAt("posted");
    failpoint("ingested"); console.log("passed"); failpoint("posted"); console.log("survived");`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", code]);
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));

  const [, killedBy] = await once(child, "close");

  assert.equal(killedBy, "SIGKILL");
  assert.equal(said, "passed\n");
});

test("no failpoint does nothing", () => {
  noFailpoint("posted");
});

test("a trace id is short and differs for ids of one moment", () => {
  const ids = createIds(() => 1_700_000_000_000);
  const traces = new Set(Array.from({ length: 1000 }, () => traceIdOf(ids())));

  assert.equal(traces.size, 1000);
  for (const trace of traces) assert.match(trace, /^[0-9a-f]{12}$/);
});
