import { App } from "@slack/bolt";
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { Server } from "node:net";
import { describe, it } from "node:test";

import { startFakeSlack } from "./index.ts";
import { quietLogger } from "./quiet-logger.ts";

describe("the fake Slack", () => {
  it("talks to a Bolt app over Socket Mode", async () => {
    await using slack = await startFakeSlack();
    const app = new App({
      token: slack.workspace.botToken,
      appToken: slack.appToken,
      socketMode: true,
      logger: quietLogger,
      clientOptions: { slackApiUrl: slack.apiUrl },
    });
    app.event("app_mention", ({ event, say }) =>
      say({ text: `You said: ${event.text}`, thread_ts: event.ts }).then(() => undefined),
    );
    await app.start();

    const { ts } = slack.mention("T0LOCAL", "C0LOCAL", "U0ALICE", "hello");
    const [answer] = await slack.waitForMessages(1);

    assert.equal(answer?.text, "You said: <@U0BOT> hello");
    assert.equal(answer?.thread_ts, ts);
    await app.stop();
    // Bolt does not wait for its socket; cut off, it would keep the process for another 30 s.
    await slack.waitForConnections(0);
  });

  it("talks to a Bolt app over the HTTP Events API, with signatures Bolt accepts", async () => {
    await using slack = await startFakeSlack();
    const app = new App({
      token: slack.workspace.botToken,
      signingSecret: slack.signingSecret,
      logger: quietLogger,
      clientOptions: { slackApiUrl: slack.apiUrl },
    });
    const clicks: string[] = [];
    app.event("app_mention", ({ event, say }) =>
      say({ text: "hello", thread_ts: event.ts }).then(() => undefined),
    );
    app.command("/infragpt", ({ ack }) => ack("done"));
    app.action("approve", ({ ack, action }) => {
      clicks.push(action.type);
      return ack();
    });
    const server = await app.start(0);
    const port = portOf(server);
    const eventsUrl = `http://127.0.0.1:${port}/slack/events`;
    slack.deliverTo({ eventsUrl });

    const { acked } = slack.mention("T0LOCAL", "C0LOCAL", "U0ALICE", "hello");
    await acked;
    await slack.waitForMessages(1);
    const command = slack.slashCommand("T0LOCAL", "C0LOCAL", { command: "/infragpt" });
    await command.acked;
    const click = { actions: [{ type: "button", action_id: "approve", block_id: "b" }] };
    await slack.interaction("T0LOCAL", "C0LOCAL", "U0ALICE", click).acked;

    assert.equal(command.deliveries[0]?.status, 200);
    assert.deepEqual(clicks, ["button"]);
    const forged = await slack.postSigned(eventsUrl, "{}", { secret: "wrong" });
    assert.equal(forged.status, 401);
    await app.stop();
  });

  it("sends an event over HTTP again, with the number of the retry, until it is taken", async () => {
    await using slack = await startFakeSlack({ retryDelaysMs: [1, 1, 1] });
    const retries: unknown[] = [];
    const server = createServer((request, response) => {
      retries.push(request.headers["x-slack-retry-num"]);
      request.resume();
      response.writeHead(retries.length < 3 ? 500 : 200).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const port = portOf(server);

    const event = { type: "app_uninstalled" };
    await slack.postEvents(`http://127.0.0.1:${port}/slack/events`, "T0LOCAL", [event]);

    assert.deepEqual(retries, [undefined, "1", "2"]);
    server.closeAllConnections();
    server.close();
  });
});

function portOf(server: Pick<Server, "address">): number {
  const address = server.address();
  assert.ok(typeof address === "object" && address);
  return address.port;
}
