import assert from "node:assert/strict";
import { test } from "node:test";
import { emitting } from "./emitting.ts";

const { signal } = new AbortController();

test("yields what is emitted, in order, then throws what the producer throws", async () => {
  const seen: number[] = [];

  async function consume(): Promise<void> {
    for await (const value of emitting<number>(
      async (emit) => {
        for (let index = 0; index < 100; index += 1) await emit(index);
        throw new Error("broken");
      },
      { signal },
    )) {
      seen.push(value);
    }
  }

  await assert.rejects(consume(), /broken/);
  assert.equal(seen.length, 100);
  assert.deepEqual(seen.slice(0, 3), [0, 1, 2]);
});

test("holds a producer back while nobody reads", async () => {
  let emitted = 0;
  const events = emitting<number>(
    async (emit) => {
      for (; emitted < 1000; emitted += 1) await emit(emitted);
    },
    { signal },
  );

  await events.next();
  await new Promise(setImmediate);

  assert.ok(emitted < 100, `${emitted} were emitted for one reader`);
  await events.return();
});

test("stops the producer when the reader leaves", async () => {
  const stopped = Promise.withResolvers<string>();
  const events = emitting<number>(
    async (emit, options) => {
      options.signal.addEventListener("abort", () => stopped.resolve("stopped"));
      await emit(1);
      await stopped.promise;
    },
    { signal },
  );

  await events.next();
  await events.return();

  assert.equal(await stopped.promise, "stopped");
});

test("throws the reason of the signal and yields nothing after it", async () => {
  const controller = new AbortController();
  const events = emitting<number>(
    async (emit, options) => {
      await emit(1);
      controller.abort(new Error("turn cancelled"));
      await emit(2);
      options.signal.throwIfAborted();
    },
    { signal: controller.signal },
  );

  const first = await events.next();
  const rest = events.next();

  assert.equal(first.value, 1);
  await assert.rejects(rest, /turn cancelled/);
});
