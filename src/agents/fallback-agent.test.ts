import assert from "node:assert/strict";
import { createServer } from "node:net";
import { once } from "node:events";
import { test, type TestContext } from "node:test";
import { AppError, publicGrpcService, systemClock } from "#platform";
import { AgentService } from "#gen/infragpt/agent/v1/agent_pb.ts";
import { createAgents, type Agents } from "./create-agents.ts";
import type { AgentConfig, AgentEvent } from "./model.ts";
import {
  aConfig,
  aRequest,
  collect,
  finalText,
  memoryLog,
  portOf,
  serve,
  type TestServer,
} from "./testing.ts";

interface CountedAgent extends TestServer {
  calls(): number;
}

/** An agent that runs `turn` each time: text it yields is sent as a delta, then `final`. */
async function startAgent(
  turn: (call: number) => AsyncIterable<string> | Iterable<string>,
  port = 0,
): Promise<CountedAgent> {
  let calls = 0;
  const server = await serve(
    [
      publicGrpcService(AgentService, {
        async *converse() {
          for await (const text of turn(++calls)) {
            yield { message: { case: "textDelta", value: { text } } };
          }
          yield { message: { case: "final", value: {} } };
        },
      }),
    ],
    port,
  );
  return { ...server, calls: () => calls };
}

function fail(code: "unavailable" | "internal" | "invalid_request"): never {
  throw new AppError(code, "planned");
}

function open(
  t: TestContext,
  configs: readonly AgentConfig[],
): Agents & { readonly lines: string[] } {
  const { log, lines } = memoryLog();
  const agents = createAgents({ configs, log, clock: systemClock });
  t.after(() => agents.close());
  return { ...agents, lines };
}

function ask(agents: Agents, text?: string): Promise<AgentEvent[]> {
  return collect(agents.converse(aRequest(text), { signal: AbortSignal.timeout(20_000) }));
}

/** A port that nothing listens on. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = portOf(server);
  server.close();
  await once(server, "close");
  return port;
}

/** No deadline that matters: a mocked clock runs past a near one. */
const FAR_MS = 3_600_000;

test("tries an agent again that answers UNAVAILABLE", async (t) => {
  await using server = await startAgent((call) =>
    call <= 2 ? fail("unavailable") : ["It is DNS."],
  );
  const agents = open(t, [aConfig(server.endpoint, { retryAttempts: 2 })]);

  assert.equal(finalText(await ask(agents)), "It is DNS.");
  assert.equal(server.calls(), 3);
});

test("gives up as unreachable once the retries are spent", async (t) => {
  await using server = await startAgent(() => fail("unavailable"));
  const agents = open(t, [aConfig(server.endpoint, { retryAttempts: 1 })]);

  await assert.rejects(ask(agents), {
    name: "AgentFailure",
    kind: "unreachable",
    agent: "default",
  });
  assert.equal(server.calls(), 2);
  assert.equal(agents.states()[0]?.health, "unreachable");
});

test("does not try an agent again that failed in any other way", async (t) => {
  await using server = await startAgent(() => fail("internal"));
  const agents = open(t, [aConfig(server.endpoint, { retryAttempts: 3 })]);

  await assert.rejects(ask(agents), { kind: "failed" });
  assert.equal(server.calls(), 1);
});

test("asks the next agent when one fails, and says which one answered", async (t) => {
  await using first = await startAgent(() => fail("internal"));
  await using second = await startAgent(() => ["From the second."]);
  const agents = open(t, [
    aConfig(first.endpoint, { name: "first", priority: 1 }),
    aConfig(`127.0.0.1:${await closedPort()}`, { name: "gone" }),
    aConfig(second.endpoint, { name: "second" }),
  ]);

  const events = await ask(agents);

  assert.deepEqual(
    events.filter(({ kind }) => kind === "started"),
    [
      { kind: "started", agent: "first" },
      { kind: "started", agent: "gone" },
      { kind: "started", agent: "second" },
    ],
  );
  assert.deepEqual(events.at(-1), { kind: "final", agent: "second", text: "From the second." });
});

test("fails instead of mixing two answers once text was shown", async (t) => {
  await using first = await startAgent(function* partial() {
    yield "It is ";
    fail("unavailable");
  });
  await using second = await startAgent(() => ["Something else."]);
  const agents = open(t, [
    aConfig(first.endpoint, { name: "first", priority: 1, retryAttempts: 3 }),
    aConfig(second.endpoint, { name: "second" }),
  ]);

  await assert.rejects(ask(agents), { kind: "failed", agent: "first" });
  assert.equal(first.calls(), 1);
  assert.equal(second.calls(), 0);
});

test("gives a hanging agent its own deadline and the next one what is left", async (t) => {
  await using first = await startAgent(async function* hang() {
    await new Promise(() => undefined);
    yield "";
  });
  await using second = await startAgent(() => ["In time."]);
  const agents = open(t, [
    aConfig(first.endpoint, { name: "first", priority: 1, timeoutMs: 300 }),
    aConfig(second.endpoint, { name: "second", timeoutMs: 5000 }),
  ]);

  assert.equal(finalText(await ask(agents)), "In time.");
});

test("ends as a timeout when no time is left for another agent", async (t) => {
  await using first = await startAgent(async function* hang() {
    await new Promise(() => undefined);
    yield "";
  });
  await using second = await startAgent(() => ["Too late."]);
  const agents = open(t, [
    aConfig(first.endpoint, { name: "first", priority: 1, timeoutMs: 300 }),
    aConfig(second.endpoint, { name: "second", timeoutMs: 300 }),
  ]);

  await assert.rejects(ask(agents), { kind: "timeout", agent: "first" });
  assert.equal(second.calls(), 0);
});

test("retries within one deadline", async (t) => {
  const endpoint = `127.0.0.1:${await closedPort()}`;
  const agents = open(t, [aConfig(endpoint, { retryAttempts: 100, timeoutMs: 500 })]);
  const startedAt = performance.now();

  await assert.rejects(ask(agents), { kind: "unreachable" });

  assert.ok(performance.now() - startedAt < 6500);
});

test("stops waiting for the next try when the turn is cancelled", async (t) => {
  const endpoint = `127.0.0.1:${await closedPort()}`;
  const agents = open(t, [aConfig(endpoint, { retryAttempts: 100, timeoutMs: FAR_MS })]);
  const stop = new AbortController();
  const startedAt = performance.now();

  async function read(): Promise<void> {
    for await (const { kind } of agents.converse(aRequest(), { signal: stop.signal })) {
      if (kind === "started") setTimeout(() => stop.abort(new Error("stopped by Ann")), 300);
    }
  }

  await assert.rejects(read(), /stopped by Ann/);
  assert.ok(performance.now() - startedAt < 3000);
});

test("says that nobody is configured for a message", async (t) => {
  const agents = open(t, [aConfig("127.0.0.1:1", { handles: ["billing"] })]);

  await assert.rejects(ask(agents, "why is checkout slow?"), { kind: "none" });
});

/** Lets turns fail until the agent is no longer called. */
async function openBreaker(t: TestContext, agents: Agents, server: CountedAgent): Promise<void> {
  let turns = 0;
  while (server.calls() === turns && turns < 50) {
    turns += 1;
    await assert.rejects(ask(agents), { kind: "unreachable" });
    t.mock.timers.tick(500);
  }
  assert.ok(turns < 50, "the breaker never opened");
}

test("stops asking an agent that keeps failing, and asks it again when it recovers", async (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
  let isDown = true;
  await using server = await startAgent(() => (isDown ? fail("unavailable") : ["Back."]));
  const agents = open(t, [aConfig(server.endpoint, { timeoutMs: FAR_MS })]);
  await openBreaker(t, agents, server);

  isDown = false;
  t.mock.timers.tick(11_000);

  assert.equal(finalText(await ask(agents)), "Back.");
});

test("does not hold other turns back while the first one after a failure goes on", async (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
  const finish = Promise.withResolvers<void>();
  const turns: (() => AsyncIterable<string> | Iterable<string>)[] = [];
  await using server = await startAgent(() => turns.shift()?.() ?? fail("unavailable"));
  const agents = open(t, [aConfig(server.endpoint, { timeoutMs: FAR_MS })]);
  await openBreaker(t, agents, server);
  t.mock.timers.tick(11_000);
  turns.push(
    async function* think() {
      yield "Let me think.";
      await finish.promise;
    },
    () => ["Quick."],
  );
  const long = agents.converse(aRequest(), { signal: AbortSignal.timeout(20_000) });
  const events = long[Symbol.asyncIterator]();
  for (let next = await events.next(); next.value.kind !== "text"; next = await events.next());

  await new Promise(setImmediate);
  const quick = finalText(await ask(agents));
  finish.resolve();

  assert.equal(quick, "Quick.");
  await events.return?.();
});

test("notices in a probe that an agent is gone and that it came back", async (t) => {
  const port = await closedPort();
  const { log, lines } = memoryLog();
  const agents = createAgents({
    configs: [aConfig(`127.0.0.1:${port}`)],
    log,
    clock: systemClock,
    probeEveryMs: 20,
  });
  const stop = new AbortController();
  const watching = agents.watch({ signal: stop.signal });
  t.after(() => agents.close());

  await seen(lines, "agent is unreachable");
  assert.equal(agents.states()[0]?.health, "unreachable");
  const server = await startAgent(() => ["Hi."], port);
  t.after(() => server[Symbol.asyncDispose]());
  await seen(lines, "agent is reachable");

  assert.equal(agents.states()[0]?.health, "healthy");
  stop.abort();
  await watching;
});

async function seen(lines: readonly string[], message: string): Promise<void> {
  const giveUp = AbortSignal.timeout(15_000);
  while (!lines.some((line) => line.includes(message))) {
    giveUp.throwIfAborted();
    await new Promise(setImmediate);
  }
}
