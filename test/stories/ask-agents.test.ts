import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createGrpcClient } from "#platform";
import { InfraGPTService } from "#gen/infragpt/v1/infragpt_pb.ts";
import { startFakeAgent } from "../fakes/agent/index.ts";
import { startFakeSlack, type FakeSlack } from "../fakes/slack/index.ts";
import { createTestDatabase } from "../support/database.ts";
import type { ServiceSpec } from "../support/service-config.ts";
import { aHome, socketSlack, startService, untilSettled } from "../support/service.ts";

type AgentSpec = NonNullable<ServiceSpec["agents"]>[number];

async function aService(agents: readonly AgentSpec[]) {
  const opened = new AsyncDisposableStack();
  const slack = opened.use(await startFakeSlack());
  const database = opened.use(await createTestDatabase());
  const home = opened.use(aHome());
  const service = opened.use(
    await startService({
      databaseUrl: database.url,
      home: home.path,
      slack: socketSlack(slack),
      agents,
    }),
  );
  await slack.waitForConnections(2);
  return { slack, database, service, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

function visible(slack: FakeSlack, ts: string): readonly string[] {
  return slack
    .answers(slack.workspace.teamId, slack.channel.id, ts)
    .map((answer) => answer.visibleText);
}

describe("Asking agents", { concurrency: 3 }, () => {
  it("says in one plain sentence with a trace id that no agent could be reached", async () => {
    await using agent = await startFakeAgent({});
    const { endpoint } = agent;
    await agent.kill();
    await using story = await aService([{ name: "away", endpoint }]);
    const { slack, database } = story;

    const asked = slack.mention(slack.workspace.teamId, slack.channel.id, "U1", "anyone?");
    await slack.waitForMessages(1);
    await untilSettled(database);

    const [answer, ...more] = visible(slack, asked.ts);
    assert.match(answer ?? "", /could not reach the agent.*\(trace `[0-9a-f]{12}`\)/);
    assert.deepEqual(more, []);
  });

  it("falls back to the next agent when the first fails", async () => {
    await using broken = await startFakeAgent({ behaviour: "fail" });
    await using spare = await startFakeAgent({});
    await using story = await aService([
      { name: "broken", endpoint: broken.endpoint, priority: 2 },
      { name: "spare", endpoint: spare.endpoint, priority: 1 },
    ]);
    const { slack } = story;

    const asked = slack.mention(slack.workspace.teamId, slack.channel.id, "U1", "help me");
    await slack.waitForMessages(1);

    assert.deepEqual(visible(slack, asked.ts), ["You said: help me"]);
  });

  it("stops waiting for an agent that hangs, cancels its call and says so", async () => {
    await using agent = await startFakeAgent({});
    await using story = await aService([
      { name: "slow", endpoint: agent.endpoint, timeoutMs: 1_500 },
    ]);
    const { slack } = story;

    const asked = slack.mention(slack.workspace.teamId, slack.channel.id, "U1", "hang");
    await slack.waitForMessages(1);
    await agent.waitForCancel();

    assert.match(visible(slack, asked.ts)[0] ?? "", /took too long.*\(trace/);
  });

  it("posts one message when an original agent calls SendReply and returns the same text", async () => {
    await using agent = await startFakeAgent({});
    await using story = await aService([
      { name: "original", endpoint: agent.endpoint, protocol: "unary" },
    ]);
    const { slack, database, service } = story;
    await agent.setBackend(service.addresses.grpc);

    const asked = slack.mention(slack.workspace.teamId, slack.channel.id, "U1", "reply-and-return");
    await slack.waitForMessages(1);
    await untilSettled(database);

    assert.equal(visible(slack, asked.ts).length, 1);
  });

  it("posts both texts in order when an original agent says one and returns another", async () => {
    await using agent = await startFakeAgent({});
    await using story = await aService([
      { name: "original", endpoint: agent.endpoint, protocol: "unary" },
    ]);
    const { slack, database, service } = story;
    await agent.setBackend(service.addresses.grpc);

    const asked = slack.mention(
      slack.workspace.teamId,
      slack.channel.id,
      "U1",
      "reply-and-return-other",
    );
    await slack.waitForMessages(2);
    await untilSettled(database);

    assert.equal(visible(slack, asked.ts).length, 2);
  });

  it("takes the earlier messages along when it is mentioned in an existing thread", async () => {
    await using agent = await startFakeAgent({});
    await using story = await aService([{ name: "far", endpoint: agent.endpoint }]);
    const { slack } = story;
    const { teamId } = slack.workspace;
    const root = slack.write(teamId, slack.channel.id, "U1", "payments are down");
    slack.write(teamId, slack.channel.id, "U2", "since 10:04", { threadTs: root });

    slack.mention(teamId, slack.channel.id, "U1", "what changed?", { threadTs: root });
    const request = await agent.waitForRequest();

    assert.deepEqual(
      request.history.map((message) => message.text),
      ["payments are down", "since 10:04"],
    );
    assert.deepEqual(
      request.history.map((message) => message.authorId),
      ["U1", "U2"],
    );
  });

  it("answers replies in its thread and direct messages without a mention", async () => {
    await using agent = await startFakeAgent({});
    await using story = await aService([{ name: "far", endpoint: agent.endpoint }]);
    const { slack, database } = story;
    const { teamId } = slack.workspace;

    const root = slack.mention(teamId, slack.channel.id, "U1", "first");
    await root.acked;
    const reply = slack.say(teamId, slack.channel.id, "U2", "second", { threadTs: root.ts });
    await reply.acked;
    const direct = slack.directMessage(teamId, "U3", "third");
    await direct.acked;
    await slack.waitForMessages(
      () => slack.answers(teamId, slack.channel.id, root.ts).length === 2,
    );
    await untilSettled(database);

    assert.deepEqual(visible(slack, root.ts), ["You said: first", "You said: second"]);
    const inDirect = slack.answers(teamId, direct.channelId).map((answer) => answer.visibleText);
    assert.deepEqual(inDirect, ["You said: third"]);
    const second = agent.requests().find((request) => request.text === "second");
    assert.deepEqual(
      second?.history.map((message) => message.text),
      ["first", "You said: first"],
    );
  });

  it("cancels the agent's work when the one who streams the answer goes away", async () => {
    await using agent = await startFakeAgent({});
    await using story = await aService([{ name: "far", endpoint: agent.endpoint }]);
    const connection = createGrpcClient(InfraGPTService, {
      endpoint: story.service.addresses.grpc,
    });
    const leaving = new AbortController();

    const stream = connection.client.streamMessage({ text: "hang" }, { signal: leaving.signal });
    const reading = assert.rejects(async () => {
      for await (const event of stream) void event;
    });
    await agent.waitForRequest();
    leaving.abort();
    await agent.waitForCancel();

    await reading;
    await untilSettled(story.database);
    connection.close();
  });

  it("streams an answer over gRPC and keeps it in the conversation", async () => {
    await using agent = await startFakeAgent({});
    await using story = await aService([{ name: "far", endpoint: agent.endpoint }]);
    const connection = createGrpcClient(InfraGPTService, {
      endpoint: story.service.addresses.grpc,
    });
    const { client } = connection;
    const signal = AbortSignal.timeout(20_000);

    let streamed = "";
    let conversationId = "";
    let finished = "";
    for await (const { event } of client.streamMessage({ text: "over gRPC" }, { signal })) {
      if (event.case === "started") conversationId = event.value.conversationId;
      if (event.case === "text") streamed += event.value.text;
      if (event.case === "finished") finished = event.value.text;
    }
    const conversation = await client.getConversation({ conversationId }, { signal });

    assert.equal(finished, "You said: over gRPC");
    assert.equal(streamed, finished);
    assert.deepEqual(
      conversation.messages.map((message) => message.text),
      ["over gRPC", "You said: over gRPC"],
    );
    connection.close();
  });
});
