import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startFakeAgent, type FakeAgent } from "../fakes/agent/index.ts";
import { startFakeSlack, type FakeMessage, type FakeSlack } from "../fakes/slack/index.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { aHome, socketSlack, startService, untilSettled } from "../support/service.ts";

function texts(answers: readonly FakeMessage[]): string[] {
  return answers.map((answer) => answer.visibleText);
}

describe("One answer reaches the thread, whatever Slack does", () => {
  let slack: FakeSlack;
  let agent: FakeAgent;
  let database: TestDatabase;
  const opened = new AsyncDisposableStack();

  before(async () => {
    slack = opened.use(await startFakeSlack());
    agent = opened.use(await startFakeAgent({}));
    database = opened.use(await createTestDatabase());
    const home = opened.use(aHome());
    opened.use(
      await startService({
        databaseUrl: database.url,
        home: home.path,
        slack: socketSlack(slack),
        agents: [{ name: "far", endpoint: agent.endpoint }],
      }),
    );
    await slack.waitForConnections(2);
  });
  after(() => opened.disposeAsync());

  async function ask(text: string, channelId = slack.channel.id): Promise<readonly FakeMessage[]> {
    const { teamId } = slack.workspace;
    const asked = slack.mention(teamId, channelId, "U1", text);
    await asked.acked;
    await untilSettled(database, 40_000);
    return slack.answers(teamId, channelId, asked.ts);
  }

  it("waits as long as Slack asks when it is rate limited", async () => {
    slack.fail("chat.postMessage", { kind: "rate_limited", retryAfterSeconds: 1 });

    assert.deepEqual(texts(await ask("limited")), ["You said: limited"]);
  });

  it("tries again when Slack fails before it posts", async () => {
    slack.fail("chat.postMessage", { kind: "http", status: 503 });

    assert.deepEqual(texts(await ask("failed before")), ["You said: failed before"]);
  });

  for (const kind of ["close_after_performing", "bad_json"] as const) {
    it(`does not post twice when Slack posted and the answer got lost (${kind})`, async () => {
      slack.fail("chat.postMessage", { kind });

      assert.deepEqual(texts(await ask(`lost ${kind}`)), [`You said: lost ${kind}`]);
    });
  }

  it("does not post twice when Slack posted and answered with a server error", async () => {
    slack.fail("chat.postMessage", { kind: "http_after_performing", status: 500 });

    assert.deepEqual(texts(await ask("late error")), ["You said: late error"]);
  });

  it("does not post twice when Slack posted and never answered", async () => {
    slack.fail("chat.postMessage", { kind: "hang_after_performing" });

    assert.deepEqual(texts(await ask("hanging call")), ["You said: hanging call"]);
  });

  it("answers the person directly when the channel is archived meanwhile", async () => {
    const { teamId } = slack.workspace;
    slack.addChannel(teamId, { id: "CARCHIVED" });
    slack.fail(
      "chat.postMessage",
      { kind: "error", error: "is_archived" },
      { channelId: "CARCHIVED" },
    );
    await slack.mention(teamId, "CARCHIVED", "U7", "archived?").acked;
    await untilSettled(database);

    const toPerson = slack
      .calls("chat.postMessage")
      .filter((call) => call.arguments["channel"] === "U7" && call.answer?.["ok"] === true);
    assert.equal(toPerson.length, 1);
    assert.match(String(toPerson[0]?.arguments["text"]), /archived or gone/);
  });

  it("answers the person directly and says how to invite it when it is no member", async () => {
    const { teamId } = slack.workspace;
    slack.addChannel(teamId, { id: "CPRIVATE", kind: "private" });
    slack.fail(
      "chat.postMessage",
      { kind: "error", error: "not_in_channel" },
      { channelId: "CPRIVATE" },
    );
    await slack.mention(teamId, "CPRIVATE", "U8", "no member?").acked;
    await untilSettled(database);

    const toPerson = slack
      .calls("chat.postMessage")
      .filter((call) => call.arguments["channel"] === "U8" && call.answer?.["ok"] === true);
    assert.equal(toPerson.length, 1);
    assert.match(String(toPerson[0]?.arguments["text"]), /invite/);
  });

  it("splits 45,000 characters with code fences into messages that lose nothing", async () => {
    const answers = await ask("long 45000");

    assert.ok(answers.length >= 4, `${answers.length} messages`);
    const joined = answers.map((answer) => answer.visibleText).join("");
    assert.ok(joined.length >= 44_000, `${joined.length} characters`);
    for (const { visibleText } of answers) {
      assert.equal((visibleText.match(/^```/gm) ?? []).length % 2, 0, "a fence is left open");
    }
  });

  it("notifies nobody when an agent writes mentions of everyone", async () => {
    const answers = await ask("mention-everyone");

    assert.equal(answers.length, 1);
    assert.deepEqual(answers[0]?.notifies, []);
  });

  it("tells people when Slack will never take the text", async () => {
    slack.fail("chat.postMessage", { kind: "error", error: "msg_too_long" });

    const [answer] = await ask("refused text");
    assert.match(answer?.visibleText ?? "", /could not be shown here/);
  });
});
