import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { platform } from "node:os";
import { test, type TestContext } from "node:test";
import { Secret, systemClock } from "#platform";
import { createAgents } from "../create-agents.ts";
import type { AgentEvent, ServiceState } from "../model.ts";
import { aConfig, aRequest, collect, finalText, memoryLog, portOf } from "../testing.ts";
import { startBuiltinAgent } from "./start-builtin-agent.ts";

const onLinux = { skip: platform() !== "linux" };
const STATE: ServiceState = {
  connections: [{ name: "slack", state: "ok", detail: "2 sockets" }],
  agents: [{ name: "default", state: "down", detail: "cannot be reached | at all" }],
  queues: [{ name: "answer-message", state: "ok", detail: "0 waiting" }],
  database: { name: "postgres", state: "ok", detail: "embedded" },
};

interface Options {
  readonly readState?: () => Promise<ServiceState>;
  readonly token?: Secret;
}

/** Asks the built-in agent as the service does: over gRPC, through the registry. */
async function converse(
  t: TestContext,
  question: string,
  options: Options = {},
): Promise<AgentEvent[]> {
  const { log } = memoryLog();
  const builtin = await startBuiltinAgent({
    log,
    readState: options.readState ?? (async () => STATE),
  });
  const token = options.token ?? builtin.token;
  const configs = [aConfig(builtin.endpoint, { name: "builtin", token })];
  const agents = createAgents({ configs, log, clock: systemClock });
  t.after(async () => {
    agents.close();
    await builtin.close();
  });
  return collect(agents.converse(aRequest(question), { signal: AbortSignal.timeout(20_000) }));
}

async function ask(t: TestContext, question: string, options: Options = {}): Promise<string> {
  return finalText(await converse(t, question, options)) ?? "";
}

test("says hello and what it can do", async (t) => {
  assert.match(await ask(t, "hello"), /built-in agent[\s\S]*why is this machine slow/);
});

test("streams its answer in several parts and shows what it looks at", async (t) => {
  const events = await converse(t, "why is this machine slow?");

  const texts = events.filter(({ kind }) => kind === "text");
  const tasks = events.flatMap((event) => (event.kind === "task" ? [event.task.state] : []));
  assert.ok(texts.length >= 3, `${texts.length} parts`);
  assert.deepEqual(tasks, ["in_progress", "complete"]);
});

test("gives a verdict, then the evidence, from live readings", onLinux, async (t) => {
  const script = "process.stdout.write('on'); for (;;) {}";
  const busy = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "ignore"] });
  t.after(() => busy.kill("SIGKILL"));
  await once(busy.stdout, "data");

  const answer = await ask(t, "why is this machine slow?");

  assert.match(answer, /^\*\*/);
  assert.match(answer, /\| Memory \| [\d.]+ \w+ of [\d.]+ \w+/);
  assert.match(answer, new RegExp(`\\| ${busy.pid} \\|`));
});

test("knows what listens on a port", onLinux, async (t) => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = portOf(server);

  const during = await ask(t, `is anything listening on ${port}?`);
  server.close();
  await once(server, "close");
  const after = await ask(t, `port ${port}?`);

  assert.match(during, new RegExp(`^\\*\\*Yes\\.\\*\\* .*\\(pid ${process.pid}\\)`));
  assert.match(after, /^\*\*No\.\*\* Nothing listens/);
});

test("knows whether a process runs", onLinux, async (t) => {
  assert.match(await ask(t, "is node running?"), /^\*\*Yes: \d+ process/);
  assert.match(
    await ask(t, "is no-such-daemon running?"),
    /^\*\*No\.\*\* No process named `no-such-daemon`/,
  );
});

test("answers about a connection by name", async (t) => {
  const answer = await ask(t, "are you connected to slack?");

  assert.match(answer, /^\*\*slack: ✅ ok\*\*, 2 sockets/);
  assert.doesNotMatch(answer, /answer-message/);
});

async function readWithoutSlack(): Promise<ServiceState> {
  return { ...STATE, connections: [] };
}

test("says that Slack is not connected when it is not", async (t) => {
  assert.match(
    await ask(t, "are you connected to Slack?", { readState: readWithoutSlack }),
    /^\*\*No\.\*\* No Slack connection/,
  );
});

test("names what is wrong first, and keeps foreign text out of the table's grammar", async (t) => {
  const answer = await ask(t, "status");

  assert.match(answer, /^\*\*Look at default \(down\)\.\*\*/);
  assert.match(answer, /\| default \| ❌ down \| cannot be reached \\\| at all \|/);
  assert.match(answer, /\| postgres \| ✅ ok \| embedded \|/);
});

function failToRead(): Promise<ServiceState> {
  return Promise.reject(new Error("database is gone"));
}

test("says that the state cannot be read instead of failing", async (t) => {
  const answer = await ask(t, "status", { readState: failToRead });

  assert.match(answer, /could not read the state/);
  assert.doesNotMatch(answer, /database is gone/);
});

test("admits what it cannot answer and says how to connect an agent", async (t) => {
  const answer = await ask(t, "why did the payments deploy fail?");

  assert.match(answer, /No model is configured/);
  assert.match(answer, /agent:\n {2}endpoint:/);
});

test("does not answer another user of the machine", async (t) => {
  await assert.rejects(converse(t, "status", { token: new Secret("guess") }), { kind: "failed" });
});
