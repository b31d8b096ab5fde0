import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { App } from "#app";
import { startFakeAgent, type FakeAgent } from "../fakes/agent/index.ts";
import { startFakeSlack, type FakeSlack } from "../fakes/slack/index.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { aHome, aServiceToken, startService, untilSettled } from "../support/service.ts";

describe("Slack over HTTP", () => {
  let slack: FakeSlack;
  let agent: FakeAgent;
  let database: TestDatabase;
  let service: App;
  const opened = new AsyncDisposableStack();

  before(async () => {
    slack = opened.use(await startFakeSlack());
    agent = opened.use(await startFakeAgent({}));
    database = opened.use(await createTestDatabase());
    const home = opened.use(aHome());
    service = opened.use(
      await startService({
        databaseUrl: database.url,
        home: home.path,
        slack: {
          apiUrl: slack.apiUrl,
          botToken: slack.workspace.botToken,
          signingSecret: slack.signingSecret,
          transport: "http",
        },
        agents: [{ name: "far", endpoint: agent.endpoint }],
      }),
    );
    await slack.waitForCalls("auth.test", 1);
    const { http } = service.addresses;
    slack.deliverTo({
      eventsUrl: `${http}/slack/events`,
      interactivityUrl: `${http}/slack/interactivity`,
      commandsUrl: `${http}/slack/commands`,
    });
  });
  after(() => opened.disposeAsync());

  function team(): string {
    return slack.workspace.teamId;
  }

  it("answers a mention once", async () => {
    const asked = slack.mention(team(), slack.channel.id, "U1", "over HTTP");
    await asked.acked;
    await untilSettled(database);

    const answers = slack.answers(team(), slack.channel.id, asked.ts);
    assert.deepEqual(
      answers.map((answer) => answer.visibleText),
      ["You said: over HTTP"],
    );
  });

  it("echoes the challenge to whoever signs it, and to nobody else", async () => {
    const body = JSON.stringify({ type: "url_verification", challenge: "prove it" });
    const url = `${service.addresses.http}/slack/events`;

    const signed = await slack.postSigned(url, body);
    const unsigned = await fetch(url, { method: "POST", body });
    const early = await slack.postSigned(url, body, { timestampSeconds: Date.now() / 1000 + 400 });

    assert.equal(signed.body, "prove it");
    assert.equal(unsigned.status, 401);
    assert.equal(early.status, 401);
  });

  it("answers a question asked with the slash command in the channel, with the question above it", async () => {
    const command = slack.slashCommand(team(), slack.channel.id, {
      command: "/infragpt",
      text: "why is it slow?",
      userId: "U5",
    });
    await command.acked;
    await untilSettled(database);

    const said = slack.answers(team(), slack.channel.id).filter((message) => !message.thread_ts);
    const [answer] = said.filter((message) => message.visibleText.includes("why is it slow?"));
    assert.equal(answer?.visibleText, "> why is it slow?\n\nYou said: why is it slow?");
    const reply = slack.say(team(), slack.channel.id, "U5", "and now?", {
      threadTs: answer?.ts ?? "",
    });
    await reply.acked;
    await untilSettled(database);
    const inThread = slack.answers(team(), slack.channel.id, answer?.ts);
    assert.ok(inThread.some((message) => message.visibleText === "You said: and now?"));
  });

  it("answers people in a channel that was switched to be monitored, until it is switched off", async () => {
    slack.addChannel(team(), { id: "CWATCHED" });
    async function monitor(text: string): Promise<void> {
      await slack.slashCommand(team(), "CWATCHED", { command: "/infragpt", text, userId: "U5" })
        .acked;
      await untilSettled(database);
    }
    await monitor("monitor people");
    await slack.say(team(), "CWATCHED", "U6", "is it me?").acked;
    await untilSettled(database);
    await monitor("monitor off");
    await slack.say(team(), "CWATCHED", "U6", "and now?").acked;
    await untilSettled(database);

    const answers = slack.answers(team(), "CWATCHED").map((answer) => answer.visibleText);
    assert.deepEqual(answers, ["You said: is it me?"]);
  });

  it("says the state of the service, privately, to who asks for it", async () => {
    await slack.slashCommand(team(), slack.channel.id, {
      command: "/infragpt",
      text: "status",
      userId: "U5",
    }).acked;
    await untilSettled(database);

    const told = slack
      .messages(team(), slack.channel.id)
      .filter(
        (message) => message.ephemeralTo === "U5" || message.visibleText.includes("*Agents*"),
      );
    assert.ok(told.some((message) => message.visibleText.includes("far")));
  });

  it("posts into a thread what a program sends to /reply, and refuses who has no token", async () => {
    const asked = slack.mention(team(), slack.channel.id, "U1", "tell me when it is done");
    await asked.acked;
    await untilSettled(database);
    const { conversation_id: conversationId } = await database.db
      .selectFrom("messages")
      .select("conversation_id")
      .where("text", "=", "tell me when it is done")
      .executeTakeFirstOrThrow();
    const body = JSON.stringify({ conversation_id: conversationId, message: "It is done." });
    const url = `${service.addresses.http}/reply/`;
    const token = await aServiceToken(service, ["conversation:reply"]);
    const headers = { "content-type": "application/json" };

    const refused = await fetch(url, { method: "POST", body, headers });
    const taken = await fetch(url, {
      method: "POST",
      body,
      headers: { ...headers, authorization: `Bearer ${token}` },
    });
    await untilSettled(database);

    assert.equal(refused.status, 401);
    assert.equal(taken.status, 200);
    const texts = slack
      .answers(team(), slack.channel.id, asked.ts)
      .map((answer) => answer.visibleText);
    assert.deepEqual(texts, ["You said: tell me when it is done", "It is done."]);
  });

  it("keeps the order when a program speaks while an answer waits to be posted", async () => {
    const token = await aServiceToken(service, ["conversation:reply"]);
    const calls = slack.calls("chat.postMessage").length;
    slack.fail("chat.postMessage", { kind: "rate_limited", retryAfterSeconds: 1 });

    const asked = slack.mention(team(), slack.channel.id, "U1", "in order");
    await slack.waitForCalls("chat.postMessage", calls + 1);
    const { conversation_id: conversationId } = await database.db
      .selectFrom("messages")
      .select("conversation_id")
      .where("text", "=", "in order")
      .executeTakeFirstOrThrow();
    await fetch(`${service.addresses.http}/reply/`, {
      method: "POST",
      body: JSON.stringify({ conversation_id: conversationId, message: "And this." }),
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    });
    await untilSettled(database);

    const texts = slack
      .answers(team(), slack.channel.id, asked.ts)
      .map((answer) => answer.visibleText);
    assert.deepEqual(texts, ["You said: in order", "And this."]);
  });
});
