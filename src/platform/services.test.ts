import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { createLog, createScrubber, createServices, type Services } from "./index.ts";

function aHouse(): { services: Services; lines: string[] } {
  const lines: string[] = [];
  const log = createLog({
    level: "info",
    format: "json",
    scrubber: createScrubber(),
    destination: { write: (line) => lines.push(line) },
  });
  return { services: createServices({ log }), lines };
}

async function untilAborted({ signal }: { signal: AbortSignal }): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}

test("starts a task again that throws or ends too early", async () => {
  const { services, lines } = aHouse();
  const { promise: third, resolve } = Promise.withResolvers<void>();
  let runs = 0;

  services.add(
    "listener",
    async (options) => {
      runs += 1;
      if (runs === 1) throw new Error("link lost");
      if (runs === 2) return;
      resolve();
      await untilAborted(options);
    },
    { restartDelayMs: 1 },
  );
  await third;

  const [state] = services.state();
  assert.equal(state?.state, "running");
  assert.match(state?.lastError ?? "", /although nobody stopped it/);
  assert.equal(lines.length, 2);
  assert.match(lines[0] ?? "", /link lost/);
  await services.stop();
});

test("says when a task waits for its restart, and stops it at once even then", async () => {
  const { services } = aHouse();
  const { promise: failed, resolve } = Promise.withResolvers<void>();
  services.add(
    "listener",
    async () => {
      setImmediate(resolve);
      throw new Error("down");
    },
    { restartDelayMs: 60_000 },
  );
  await failed;

  const during = services.state();
  await services.stop();

  assert.deepEqual(during, [{ name: "listener", state: "restarting", lastError: "down" }]);
  assert.equal(services.state()[0]?.state, "stopped");
});

test("keeps the other tasks running when one throws where it starts", async () => {
  const { services } = aHouse();

  services.add("broken", () => {
    throw new Error("at once");
  });
  services.add("fine", untilAborted);

  assert.equal(services.state()[1]?.state, "running");
  await services.stop();
});

test("stops in the reverse order of start, one after the other, and only once", async () => {
  const { services } = aHouse();
  const stopped: string[] = [];
  for (const name of ["first", "second", "third"]) {
    services.add(name, async (options) => {
      await untilAborted(options);
      await new Promise((resolve) => setImmediate(resolve));
      stopped.push(name);
    });
  }

  await Promise.all([services.stop(), services.stop()]);

  assert.deepEqual(stopped, ["third", "second", "first"]);
});

test("leaves a task behind that does not stop within its deadline", async () => {
  const { services, lines } = aHouse();
  const { promise: never } = Promise.withResolvers<void>();
  services.add("stuck", async () => never, { stopMsMax: 20 });

  await services.stop();

  assert.match(lines.join(""), /did not stop in time/);
  assert.equal(services.state()[0]?.state, "running");
});

test("takes no task twice and none after the stop", async () => {
  const { services } = aHouse();
  services.add("one", untilAborted);
  assert.throws(() => services.add("one", untilAborted), /two services named one/);

  await services.stop();

  assert.throws(() => services.add("two", untilAborted), /after the stop/);
});
