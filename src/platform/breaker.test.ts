import assert from "node:assert/strict";
import { describe, mock, test, beforeEach, afterEach } from "node:test";
import { type Breaker, createBreaker } from "./index.ts";

const signal = new AbortController().signal;

async function fail(breaker: Breaker, times: number): Promise<void> {
  for (let n = 0; n < times; n += 1) {
    await assert.rejects(
      breaker.run(async () => Promise.reject(new Error("down")), { signal }),
      /down/,
    );
  }
}

async function succeed(breaker: Breaker, times: number): Promise<void> {
  for (let n = 0; n < times; n += 1) await breaker.run(async () => "up", { signal });
}

describe("breaker", () => {
  beforeEach(() => mock.timers.enable({ apis: ["Date"], now: 1_000_000 }));
  afterEach(() => mock.timers.reset());

  test("opens when half of 20 calls failed, and then does not call", async () => {
    const breaker = createBreaker({ name: "Agent a" });
    await succeed(breaker, 10);
    await fail(breaker, 9);
    assert.equal(breaker.state, "closed");

    await fail(breaker, 1);

    assert.equal(breaker.state, "open");
    await assert.rejects(
      breaker.run(async () => assert.fail("it called"), { signal }),
      { code: "unavailable", message: /Agent a/ },
    );
  });

  test("stays closed below 20 calls and below half", async () => {
    const breaker = createBreaker({ name: "Agent a" });
    await fail(breaker, 19);
    assert.equal(breaker.state, "closed");
    const busy = createBreaker({ name: "Agent b" });
    await succeed(busy, 30);

    await fail(busy, 29);

    assert.equal(busy.state, "closed");
  });

  test("forgets calls of more than 30 s ago, however quiet it was since", async () => {
    const breaker = createBreaker({ name: "Agent a" });
    await fail(breaker, 19);
    mock.timers.tick(31_000);

    await fail(breaker, 1);

    assert.equal(breaker.state, "closed");
  });

  test("lets one probe through after 10 s and closes when it succeeds", async () => {
    const breaker = createBreaker({ name: "Agent a" });
    await fail(breaker, 20);
    mock.timers.tick(10_000);
    const { promise, resolve } = Promise.withResolvers<string>();

    const probe = breaker.run(async () => promise, { signal });

    assert.equal(breaker.state, "half_open");
    await assert.rejects(
      breaker.run(async () => assert.fail("a second probe"), { signal }),
      { code: "unavailable" },
    );
    resolve("up");
    assert.equal(await probe, "up");
    assert.equal(breaker.state, "closed");
    await fail(breaker, 1);
    assert.equal(breaker.state, "closed");
  });

  test("opens again for 10 s when the probe fails or its caller leaves", async () => {
    const breaker = createBreaker({ name: "Agent a" });
    await fail(breaker, 20);
    mock.timers.tick(10_000);
    await fail(breaker, 1);
    assert.equal(breaker.state, "open");
    mock.timers.tick(10_000);
    const caller = new AbortController();

    const probe = breaker.run(
      async (options) => {
        caller.abort();
        options.signal.throwIfAborted();
      },
      { signal: caller.signal },
    );

    await assert.rejects(probe, { name: "AbortError" });
    assert.equal(breaker.state, "open");
  });

  test("does not count what callers aborted, nor what does not speak against the dependency", async () => {
    const breaker = createBreaker({
      name: "Agent a",
      isFailure: (error) => error instanceof TypeError,
    });
    for (let n = 0; n < 30; n += 1) {
      const caller = new AbortController();
      const call = breaker.run(
        async () => {
          caller.abort();
          throw new TypeError("aborted");
        },
        { signal: caller.signal },
      );
      await assert.rejects(call, /aborted/);
    }

    await fail(breaker, 30);

    assert.equal(breaker.state, "closed");
  });
});
