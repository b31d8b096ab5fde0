import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  Client,
  type ClientDuplexStream,
  credentials,
  Server,
  ServerCredentials,
  status as grpcStatus,
} from "@grpc/grpc-js";
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";

import {
  AuthorKind,
  type ConverseRequest,
  ConverseRequestSchema,
  type ConverseResponse,
  ConverseResponseSchema,
} from "#gen/infragpt/agent/v1/agent_pb.ts";
import {
  AgentRequestSchema,
  type AgentResponse,
  AgentResponseSchema,
} from "#gen/original/agent_pb.ts";

import { type FakeAgent, startFakeAgent } from "./index.ts";

let agent: FakeAgent;
let client: Client;

before(async () => {
  agent = await startFakeAgent();
});
beforeEach(() => {
  client?.close();
  client = new Client(agent.endpoint, credentials.createInsecure());
});
after(async () => {
  client.close();
  await agent[Symbol.asyncDispose]();
});

function open(text: string): ClientDuplexStream<ConverseRequest, ConverseResponse> {
  const call = client.makeBidiStreamRequest(
    "/infragpt.agent.v1.AgentService/Converse",
    (message: ConverseRequest) => Buffer.from(toBinary(ConverseRequestSchema, message)),
    (bytes: Buffer) => fromBinary(ConverseResponseSchema, bytes),
    { deadline: Date.now() + 10_000 },
  );
  const author = { kind: AuthorKind.PERSON, id: "U0ALICE", name: "Alice" };
  const start = {
    conversationId: "c1",
    traceId: "trace1",
    message: { messageId: "m2", text, author },
    history: [{ messageId: "m1", text: "earlier", author }],
  };
  call.write(create(ConverseRequestSchema, { message: { case: "start", value: start } }));
  return call;
}

async function converse(text: string): Promise<{ deltas: number; text: string; last: string }> {
  const messages: ConverseResponse["message"][] = [];
  for await (const { message } of open(text) as AsyncIterable<ConverseResponse>) {
    messages.push(message);
  }
  const deltas = messages.flatMap((each) => (each.case === "textDelta" ? [each.value.text] : []));
  const last = messages.at(-1);
  const whole = last?.case === "final" ? last.value.text : "";
  return { deltas: deltas.length, text: whole || deltas.join(""), last: last?.case ?? "" };
}

function processMessage(currentMessage: string): Promise<AgentResponse> {
  const request = create(AgentRequestSchema, {
    conversationId: "c1",
    currentMessage,
    pastMessages: [{ messageId: "m1", content: "earlier", sender: "user/U0ALICE" }],
  });
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      "/agent.AgentService/ProcessMessage",
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => fromBinary(AgentResponseSchema, bytes),
      Buffer.from(toBinary(AgentRequestSchema, request)),
      { deadline: Date.now() + 10_000 },
      (error, response) => (response ? resolve(response) : reject(error ?? new Error("nothing"))),
    );
  });
}

function hasCode(code: grpcStatus): (error: unknown) => boolean {
  return (error) => error instanceof Error && "code" in error && error.code === code;
}

describe("the fake agent", () => {
  it("streams the echo in several deltas", async () => {
    const answer = await converse("hello out there, agent");

    assert.equal(answer.text, "You said: hello out there, agent");
    assert.ok(answer.deltas > 1);
    assert.equal(answer.last, "final");
  });

  it("answers the original protocol too", async () => {
    const response = await processMessage("hello");

    assert.equal(response.success, true);
    assert.equal(response.responseText, "You said: hello");
  });

  it("shows what it received, in both protocols", async () => {
    await converse("history # by stream");
    await processMessage("history # by unary");

    const first = await agent.waitForRequest(({ text }) => text.endsWith("stream"));
    const second = await agent.waitForRequest(({ text }) => text.endsWith("unary"));
    assert.deepEqual(first.history, [
      { messageId: "m1", text: "earlier", author: "person", authorId: "U0ALICE", sentAt: "" },
    ]);
    assert.deepEqual(second.history, [
      { messageId: "m1", text: "earlier", author: "user", authorId: "U0ALICE", sentAt: "" },
    ]);
    assert.ok(first.deadlineMs! > 0);
    assert.equal(first.traceId, "trace1");
  });

  it("hangs until it is cancelled, and says that it was", async () => {
    const call = open("hang");
    call.on("error", () => undefined);
    await agent.waitForRequest(({ text }) => text === "hang");

    call.cancel();

    await agent.waitForCancel();
    assert.equal(agent.cancellations()[0]?.text, "hang");
  });

  it("ends a turn that is cancelled by a message", async () => {
    const call = open("hang # cancelled by a message");
    const received: ConverseResponse[] = [];
    call.write(
      create(ConverseRequestSchema, { message: { case: "cancel", value: { reason: "test" } } }),
    );

    for await (const message of call as AsyncIterable<ConverseResponse>) received.push(message);

    assert.equal(received.at(-1)?.message.case, "error");
    await agent.waitForCancel(2);
  });

  it("fails as often as told, then answers", async () => {
    await assert.rejects(converse("status UNAVAILABLE 1"), hasCode(grpcStatus.UNAVAILABLE));

    assert.match((await converse("status UNAVAILABLE 1")).text, /^You said/);
    assert.equal((await converse("fail")).last, "error");
    assert.equal((await processMessage("fail")).success, false);
  });

  it("writes long answers of exactly the asked length", async () => {
    const { text } = await converse("long 45000");

    assert.equal(text.length, 45_000);
    assert.match(text, /```sh\nline 2\.1 /);
  });

  it("treats a question that begins like a behaviour as a question", async () => {
    assert.equal((await converse("status of production?")).text, "You said: status of production?");
  });

  it("holds answers back while it is paused", async () => {
    await agent.pause();
    const answer = converse("held back");
    await agent.waitForRequest(({ text }) => text === "held back");
    const early = await Promise.race([answer, agent.setBehaviour("echo").then(() => "not yet")]);

    await agent.release();

    assert.equal(early, "not yet");
    assert.equal((await answer).text, "You said: held back");
  });

  it("posts through the original SendReply and returns the same text", async () => {
    const commands: Buffer[] = [];
    const backend = new Server();
    const service = {
      path: "/backend.BackendService/SendReply",
      requestStream: false as const,
      responseStream: false as const,
      requestSerialize: (bytes: Buffer) => bytes,
      requestDeserialize: (bytes: Buffer) => bytes,
      responseSerialize: (bytes: Buffer) => bytes,
      responseDeserialize: (bytes: Buffer) => bytes,
    };
    backend.addService(
      { sendReply: service },
      {
        sendReply(call: { request: Buffer }, respond: (error: null, status: Buffer) => void) {
          commands.push(call.request);
          respond(null, Buffer.from([0x08, 1]));
        },
      },
    );
    const port = await new Promise<number>((resolve, reject) => {
      backend.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    await agent.setBackend(`127.0.0.1:${port}`);

    const response = await processMessage("reply-and-return");

    assert.equal(response.responseText, "Replied: reply-and-return");
    assert.match(commands[0]!.toString("utf8"), /Replied: reply-and-return/);
    backend.forceShutdown();
  });

  it("crashes in the middle of a turn and comes back on the same port", async () => {
    await assert.rejects(converse("crash"), hasCode(grpcStatus.UNAVAILABLE));

    await agent.restart();

    client.close();
    client = new Client(agent.endpoint, credentials.createInsecure());
    assert.equal((await converse("still there?")).text, "You said: still there?");
    const numbers = agent.requests().map(({ number }) => number);
    assert.deepEqual(numbers, [...new Set(numbers)]);
  });
});
