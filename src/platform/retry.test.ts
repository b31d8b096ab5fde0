import assert from "node:assert/strict";
import { test } from "node:test";
import { retry, type RetryOptions } from "./index.ts";

const options: RetryOptions = {
  attemptsMax: 3,
  baseMs: 1,
  maxMs: 3,
  isRetryable: () => true,
  signal: new AbortController().signal,
};

test("runs again until it succeeds", async () => {
  const attempts: number[] = [];

  const answer = await retry(async ({ attempt }) => {
    attempts.push(attempt);
    if (attempt < 3) throw new Error("not yet");
    return "done";
  }, options);

  assert.equal(answer, "done");
  assert.deepEqual(attempts, [1, 2, 3]);
});

test("gives up after the last attempt with its error", async () => {
  let runs = 0;

  await assert.rejects(
    retry(async ({ attempt }) => {
      runs += 1;
      throw new Error(`attempt ${attempt}`);
    }, options),
    /attempt 3/,
  );

  assert.equal(runs, 3);
});

test("does not repeat what cannot get better", async () => {
  let runs = 0;

  await assert.rejects(
    retry(
      async () => {
        runs += 1;
        throw new Error("denied");
      },
      { ...options, isRetryable: () => false },
    ),
    /denied/,
  );

  assert.equal(runs, 1);
});

test("stops waiting at once when aborted, and does not run again", async () => {
  const aborter = new AbortController();
  let runs = 0;

  const retrying = retry(
    async () => {
      runs += 1;
      queueMicrotask(() => setImmediate(() => aborter.abort(new Error("shutting down"))));
      throw new Error("busy");
    },
    { ...options, baseMs: 60_000, maxMs: 60_000, signal: aborter.signal },
  );

  await assert.rejects(retrying, /shutting down/);
  assert.equal(runs, 1);
});

test("does not start when aborted before", async () => {
  await assert.rejects(
    retry(async () => assert.fail("it ran"), { ...options, signal: AbortSignal.abort() }),
    { name: "AbortError" },
  );
});
