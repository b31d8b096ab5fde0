import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import {
  AppError,
  publicGrpcService,
  Secret,
  systemClock,
  type Abortable,
  type GrpcContext,
  type Principal,
} from "#platform";
import {
  AgentService,
  AuthorKind,
  TaskState,
  type ConverseRequest,
  type ConverseResponseSchema,
  type Start,
} from "#gen/infragpt/agent/v1/agent_pb.ts";
import { createAgents } from "./create-agents.ts";
import { AgentFailure, type AgentConfig, type AgentEvent } from "./model.ts";
import {
  aConfig,
  aRequest,
  collect,
  finalText,
  memoryLog,
  serve,
  type TestServer,
} from "./testing.ts";

type Frame = MessageInitShape<typeof ConverseResponseSchema>;
type Response = NonNullable<Exclude<Frame, { readonly $typeName: string }>["message"]>;
type Behave = (
  start: Start,
  rest: AsyncIterator<ConverseRequest>,
  context: GrpcContext<Principal | undefined>,
) => AsyncIterable<Response>;

function startAgent(behave: Behave): Promise<TestServer> {
  return serve([
    publicGrpcService(AgentService, {
      async *converse(requests, context): AsyncGenerator<Frame> {
        const incoming = requests[Symbol.asyncIterator]();
        const first = await incoming.next();
        assert.ok(!first.done && first.value.message.case === "start");
        for await (const message of behave(first.value.message.value, incoming, context)) {
          yield { message };
        }
      },
    }),
  ]);
}

async function ask(
  { endpoint }: TestServer,
  overrides: Partial<AgentConfig> = {},
  options: Abortable = { signal: AbortSignal.timeout(10_000) },
): Promise<AgentEvent[]> {
  const agents = createAgents({
    configs: [aConfig(endpoint, overrides)],
    log: memoryLog().log,
    clock: systemClock,
  });
  try {
    return await collect(agents.converse(aRequest(), options));
  } finally {
    agents.close();
  }
}

function textOf(text: string): Response {
  return { case: "textDelta", value: { text } };
}

const DONE: Response = { case: "final", value: { text: "" } };

test("tells the agent everything about the turn", async () => {
  let seen: Start | undefined;
  let authorization = "";
  await using server = await startAgent(async function* remember(start, _rest, { metadata }) {
    seen = start;
    authorization = metadata.get("authorization") ?? "";
    yield { case: "final", value: { text: "ok" } };
  });

  await ask(server, { timeoutMs: 5000, token: new Secret("s3cret") });

  assert.ok(seen?.message && seen.principal && seen.limits?.deadline);
  assert.equal(seen.conversationId, "conversation-1");
  assert.equal(seen.turnId, "turn-1");
  assert.equal(seen.traceId, "abc123");
  assert.equal(seen.message.text, "why is checkout slow?");
  assert.equal(timestampDate(seen.message.sentAt!).toISOString(), "2026-11-23T08:00:02.500Z");
  assert.deepEqual(
    seen.history.map(({ text, author }) => [text, author?.kind, author?.id, author?.name]),
    [
      ["hello", AuthorKind.PERSON, "U1", "Ann"],
      ["Hello Ann.", AuthorKind.AGENT, "default", ""],
    ],
  );
  assert.deepEqual(
    [
      seen.principal.organizationId,
      seen.principal.userId,
      seen.principal.surface,
      seen.principal.channelId,
    ],
    ["org-1", "U1", "slack", "C1"],
  );
  assert.equal(seen.operations.length, 0);
  const leftMs = timestampDate(seen.limits.deadline).getTime() - Date.now();
  assert.ok(leftMs > 0 && leftMs <= 5000, `deadline in ${leftMs} ms`);
  assert.equal(authorization, "Bearer s3cret");
});

test("passes on text, plan, tasks and usage, and the final text last", async () => {
  await using server = await startAgent(async function* answer() {
    yield {
      case: "planUpdate",
      value: { title: "Look", tasks: [{ id: "1", title: "Logs", state: TaskState.PENDING }] },
    };
    yield {
      case: "taskUpdate",
      value: { id: "1", title: "Logs", state: TaskState.COMPLETE, detail: "3 errors" },
    };
    yield textOf("It is ");
    yield textOf("DNS.");
    yield {
      case: "usage",
      value: { model: "m", inputTokens: 10n, outputTokens: -1n, costMicroUsd: 2n ** 62n },
    };
    yield DONE;
  });

  const events = await ask(server);

  assert.deepEqual(events, [
    { kind: "started", agent: "default" },
    {
      kind: "plan",
      title: "Look",
      tasks: [{ id: "1", title: "Logs", state: "pending", detail: undefined }],
    },
    { kind: "task", task: { id: "1", title: "Logs", state: "complete", detail: "3 errors" } },
    { kind: "text", text: "It is " },
    { kind: "text", text: "DNS." },
    {
      kind: "usage",
      model: "m",
      inputTokens: 10,
      outputTokens: 0,
      costMicroUsd: Number.MAX_SAFE_INTEGER,
    },
    { kind: "final", agent: "default", text: "It is DNS." },
  ]);
});

test("takes a stream that ends after text for an answer", async () => {
  await using server = await startAgent(async function* answer() {
    yield textOf("It is DNS.");
  });

  assert.equal(finalText(await ask(server)), "It is DNS.");
});

test("takes a stream that ends without anything for a failure", async () => {
  await using server = await startAgent(async function* answer() {});

  await assert.rejects(ask(server), { name: "AgentFailure", kind: "failed" });
});

test("removes hidden instructions and control characters from everything an agent writes", async () => {
  await using server = await startAgent(async function* answer() {
    yield {
      case: "taskUpdate",
      value: { id: "1", title: "Re\u202ead\nlogs", state: TaskState.PENDING },
    };
    yield textOf("fine\u{e0041}\u0007");
    yield { case: "final", value: { text: "fine\u{e0041}\u200b.\u0000" } };
  });

  const events = await ask(server);

  assert.deepEqual(events.slice(1), [
    { kind: "task", task: { id: "1", title: "Read logs", state: "pending", detail: undefined } },
    { kind: "text", text: "fine" },
    { kind: "final", agent: "default", text: "fine." },
  ]);
});

test("refuses an answer without end", async () => {
  await using server = await startAgent(async function* answer() {
    while (true) yield textOf("x".repeat(10_000));
  });

  await assert.rejects(ask(server), /longer than 200000 characters/);
});

test("refuses a message without content", async () => {
  await using server = await startAgent(async function* answer() {
    yield { case: undefined };
  });

  await assert.rejects(ask(server), /broke the protocol/);
});

test("tells an agent that asks for an operation that there are none", async () => {
  await using server = await startAgent(async function* answer(_start, rest) {
    yield {
      case: "operationRequest",
      value: { requestId: "r1", name: "aws.reboot", arguments: "{}" },
    };
    const next = await rest.next();
    const result = next.done ? undefined : next.value.message;
    assert.ok(result?.case === "operationResult" && result.value.outcome.case === "refusal");
    const { code, message } = result.value.outcome.value;
    yield { case: "final", value: { text: `${result.value.requestId} ${code}: ${message}` } };
  });

  assert.equal(finalText(await ask(server)), "r1 denied: no operations available");
});

test("keeps the agent's own words about its failure out of the sentence for people", async () => {
  await using server = await startAgent(async function* answer() {
    yield { case: "error", value: { message: "key sk-1 is wrong" } };
  });

  await assert.rejects(ask(server), (error: unknown) => {
    assert.ok(error instanceof AgentFailure);
    assert.equal(error.kind, "failed");
    assert.match(error.message, /key sk-1 is wrong/);
    return true;
  });
});

test("lets an agent clean up after its final answer", async () => {
  const cleaned = Promise.withResolvers<boolean>();
  await using server = await startAgent(async function* answer(_start, rest, { signal }) {
    yield { case: "final", value: { text: "ok" } };
    // Our side ends first; the agent's call is still its own.
    const next = await rest.next();
    cleaned.resolve(next.done === true && !signal.aborted);
  });

  await ask(server);

  assert.equal(await cleaned.promise, true);
});

test("does not wait for an agent that never ends after its final answer", async () => {
  const ended = Promise.withResolvers<void>();
  await using server = await startAgent(async function* answer(_start, _rest, { signal }) {
    yield { case: "final", value: { text: "ok" } };
    signal.addEventListener("abort", () => ended.resolve());
    await ended.promise;
  });

  assert.equal(finalText(await ask(server)), "ok");
  await ended.promise;
});

test("sends a cancel message, then ends the call, and throws the reason", async () => {
  const controller = new AbortController();
  const heard = Promise.withResolvers<string>();
  const cut = Promise.withResolvers<void>();
  await using server = await startAgent(async function* answer(_start, rest, { signal }) {
    signal.addEventListener("abort", () => cut.resolve());
    yield textOf("thinking");
    const next = await rest.next();
    heard.resolve(next.done ? "end" : (next.value.message.case ?? "nothing"));
    // It ignores the wish, so the call is cut.
    await cut.promise;
  });
  const agents = createAgents({
    configs: [aConfig(server.endpoint)],
    log: memoryLog().log,
    clock: systemClock,
  });
  const texts: string[] = [];

  async function read(): Promise<void> {
    for await (const event of agents.converse(aRequest(), { signal: controller.signal })) {
      if (event.kind !== "text") continue;
      texts.push(event.text);
      controller.abort(new AppError("cancelled", "Ann stopped it."));
    }
  }

  await assert.rejects(read(), /Ann stopped it/);
  assert.equal(await heard.promise, "cancel");
  await cut.promise;
  assert.deepEqual(texts, ["thinking"]);
  agents.close();
});

test("ends the call when the reader leaves early", async () => {
  const heard = Promise.withResolvers<string>();
  await using server = await startAgent(async function* answer(_start, rest) {
    yield textOf("a");
    const next = await rest.next();
    heard.resolve(next.done ? "end" : (next.value.message.case ?? "nothing"));
  });
  const agents = createAgents({
    configs: [aConfig(server.endpoint)],
    log: memoryLog().log,
    clock: systemClock,
  });

  for await (const event of agents.converse(aRequest(), { signal: AbortSignal.timeout(5000) })) {
    if (event.kind === "text") break;
  }

  assert.equal(await heard.promise, "cancel");
  agents.close();
});
