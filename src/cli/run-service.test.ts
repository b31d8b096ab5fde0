import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { createLog, createScrubber } from "#platform";
import { runService } from "./run-service.ts";

const log = createLog({ level: "silent", format: "json", scrubber: createScrubber() });

function aService(overrides: Partial<{ start(): Promise<void>; stop(): Promise<void> }> = {}) {
  const calls: string[] = [];
  return {
    calls,
    async start() {
      calls.push("start");
      await overrides.start?.();
    },
    async stop() {
      calls.push("stop");
      await overrides.stop?.();
    },
  };
}

test("starts, says that it is ready, and stops with 0 on the signal", async () => {
  const service = aService();
  const stopping = new AbortController();
  const options = { log, signal: stopping.signal, onReady: () => stopping.abort() };

  assert.equal(await runService(service, options), 0);
  assert.deepEqual(service.calls, ["start", "stop"]);
});

test("a signal during the start gives the start up and announces nothing", async () => {
  const stopping = new AbortController();
  const service = aService({
    start() {
      stopping.abort();
      return new Promise(() => undefined);
    },
  });
  const options = { log, signal: stopping.signal, onReady: () => assert.fail("announced") };

  assert.equal(await runService(service, options), 0);
  assert.deepEqual(service.calls, ["start", "stop"]);
});

test("a failed start closes what was opened and throws", async () => {
  const service = aService({ start: () => Promise.reject(new Error("away")) });
  const options = { log, signal: new AbortController().signal, onReady: () => undefined };

  await assert.rejects(runService(service, options), /away/);
  assert.deepEqual(service.calls, ["start", "stop"]);
});

test("a stop that hangs ends with 1", async () => {
  const service = aService({ stop: () => new Promise(() => undefined) });
  const signal = AbortSignal.abort();

  assert.equal(
    await runService(service, { log, signal, onReady: () => undefined, stopMsMax: 5 }),
    1,
  );
});

test("an exception that nobody catches stops the service with 1; a lost rejection does not", () => {
  const program = `
    import { createLog, createScrubber } from "#platform";
    import { runService } from ${JSON.stringify(join(import.meta.dirname, "run-service.ts"))};
    const log = createLog({ level: "error", format: "json", scrubber: createScrubber() });
    const keepAlive = setInterval(() => undefined, 1000);
    process.exitCode = await runService(
      { start: async () => undefined, stop: async () => clearInterval(keepAlive) },
      { log, signal: new AbortController().signal, onReady() {
        void Promise.reject(new Error("lost"));
        setTimeout(() => { throw new Error("nobody caught this"); }, 20);
      } });`;
  const { status, stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
    cwd: join(import.meta.dirname, "../.."),
    encoding: "utf8",
    timeout: 20_000,
  });

  assert.match(stdout, /a rejection was not handled[\s\S]*an exception was not caught/);
  assert.equal(status, 1);
});
