import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ConnectorError, Secret, type ConnectionHealth } from "@infragpt/connector-kit";
import { startFakeSlack, type FakeSlack } from "../../../../test/fakes/slack/index.ts";
import {
  createSlackConnector,
  diagnose,
  REQUIRED_BOT_SCOPES,
  type DiagnosisLine,
} from "./index.ts";
import { fakeSlackConnection } from "./test-connection.ts";
import { fakeSlackConfig, TestListener } from "./test-listener.ts";

function inTime(): { readonly signal: AbortSignal } {
  return { signal: AbortSignal.timeout(15_000) };
}

function checkHealth(slack: FakeSlack): Promise<ConnectionHealth> {
  const connector = createSlackConnector(fakeSlackConfig(slack));
  return connector.checkHealth!(fakeSlackConnection(slack), inTime());
}

describe("identifying a workspace", () => {
  test("says whom the token speaks for", async () => {
    await using slack = await startFakeSlack();
    const connector = createSlackConnector(fakeSlackConfig(slack));

    const profile = await connector.identify!(
      { bot_token: new Secret(slack.workspace.botToken) },
      inTime(),
    );

    assert.equal(profile.accountId, slack.workspace.teamId);
    assert.equal(profile.botId, slack.workspace.botUserId);
    assert.equal(profile.metadata?.["bot_id"], slack.workspace.botId);
    assert.match(profile.metadata?.["scopes"] ?? "", /chat:write/);
  });

  test("refuses a token that Slack does not know, without naming it", async () => {
    await using slack = await startFakeSlack();
    const connector = createSlackConnector(fakeSlackConfig(slack));

    await assert.rejects(
      connector.identify!({ bot_token: new Secret("xoxb-wrong") }, inTime()),
      (error) => {
        assert.ok(error instanceof ConnectorError);
        assert.equal(error.kind, "unauthorized");
        assert.doesNotMatch(error.message, /xoxb/);
        return true;
      },
    );
  });
});

describe("the health of a connection", () => {
  test("is healthy while the token works and may do all", async () => {
    await using slack = await startFakeSlack();

    assert.deepEqual(await checkHealth(slack), { status: "healthy" });
  });

  test("is degraded when scopes are missing, and names them", async () => {
    await using slack = await startFakeSlack();
    const scopes = REQUIRED_BOT_SCOPES.filter((scope) => scope !== "im:history");
    const workspace = slack.addWorkspace({ teamId: "T2", scopes });
    const connection = {
      ...fakeSlackConnection(slack),
      accountId: "T2",
      credentials: { bot_token: new Secret(workspace.botToken) },
    };

    const connector = createSlackConnector(fakeSlackConfig(slack));
    const health = await connector.checkHealth!(connection, inTime());

    assert.deepEqual(health, {
      status: "degraded",
      detail: "scopes are missing: im:history; reconnect Slack to add them",
      missingPermissions: ["im:history"],
    });
  });

  test("is revoked when the token was", async () => {
    await using slack = await startFakeSlack();
    slack.revokeToken(slack.workspace.teamId);

    assert.equal((await checkHealth(slack)).status, "revoked");
  });

  test("is expired when the token is", async () => {
    await using slack = await startFakeSlack();
    slack.fail("auth.test", { kind: "error", error: "token_expired" });

    assert.equal((await checkHealth(slack)).status, "expired");
  });

  test("is not judged while Slack cannot say", async () => {
    await using slack = await startFakeSlack();
    slack.fail("auth.test", { kind: "http", status: 502 });

    await assert.rejects(checkHealth(slack), ConnectorError);
  });
});

describe("the diagnosis", () => {
  test("is well where all is well", async () => {
    await using slack = await startFakeSlack();

    const lines = await diagnose(fakeSlackConfig(slack), inTime());

    assert.deepEqual(
      lines.map((line) => [line.name, line.ok]),
      [
        ["slack bot token", true],
        ["slack scopes", true],
        ["slack app token", true],
        ["slack connections", true],
      ],
    );
  });

  test("is well beside the running service", async () => {
    await using slack = await startFakeSlack();
    await using _ = new TestListener(slack);
    await slack.waitForConnections(2);

    const lines = await diagnose(fakeSlackConfig(slack), inTime());

    assert.deepEqual(find(lines, "slack connections").detail, "2 besides this check");
    assert.ok(find(lines, "slack connections").ok);
  });

  test("names a second install that shares the app token", async () => {
    await using slack = await startFakeSlack();
    await using ours = new TestListener(slack);
    await using theirs = new TestListener(slack);
    await ours.waitFor("our links", () => ours.openLinks === 2);
    await theirs.waitFor("their links", () => theirs.openLinks === 2);

    const line = find(await diagnose(fakeSlackConfig(slack), inTime()), "slack connections");

    assert.equal(line.ok, false);
    assert.match(line.detail, /second install/);
  });

  test("names what is wrong with each token, and no token", async () => {
    await using slack = await startFakeSlack();
    const config = fakeSlackConfig(slack, {
      appToken: new Secret("xapp-wrong"),
      botToken: new Secret("xoxb-wrong"),
    });

    const lines = await diagnose(config, inTime());

    assert.equal(find(lines, "slack bot token").ok, false);
    assert.equal(find(lines, "slack app token").ok, false);
    assert.doesNotMatch(JSON.stringify(lines), /xapp-wrong|xoxb-wrong/);
  });

  test("asks for a signing secret where the transport is HTTP", async () => {
    await using slack = await startFakeSlack();
    const config = fakeSlackConfig(slack, { transport: "http", signingSecrets: [] });

    const line = find(await diagnose(config, inTime()), "slack signing secret");

    assert.equal(line.ok, false);
  });
});

function find(lines: readonly DiagnosisLine[], name: string): DiagnosisLine {
  const line = lines.find((one) => one.name === name);
  assert.ok(line, `no line ${name} in ${JSON.stringify(lines)}`);
  return line;
}
