import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { App } from "#app";
import { startFakeClerk, type FakeClerk } from "../fakes/clerk/index.ts";
import { startFakeSlack, type FakeSlack } from "../fakes/slack/index.ts";
import { aConnector, follow, type Connector } from "../support/connecting.ts";
import { createTestDatabase } from "../support/database.ts";
import { anOrganization } from "../support/directory.ts";
import { aHome, startService } from "../support/service.ts";

const OWNER = "U0OWNER";
const DIRECT = "D00OWNER";

describe("When a connection breaks", () => {
  let slack: FakeSlack;
  let clerk: FakeClerk;
  let service: App;
  let ana: Connector;
  let sickId: string;
  const opened = new AsyncDisposableStack();

  before(async () => {
    slack = opened.use(await startFakeSlack());
    clerk = opened.use(await startFakeClerk());
    const database = opened.use(await createTestDatabase());
    const home = opened.use(aHome());
    service = opened.use(
      await startService({
        databaseUrl: database.url,
        home: home.path,
        clerk: { ...clerk, webhookSecrets: [clerk.webhookSecret] },
        slack: {
          apiUrl: slack.apiUrl,
          appToken: slack.appToken,
          clientId: slack.clientId,
          clientSecret: slack.clientSecret,
          authorizeUrl: slack.authorizeUrl,
        },
      }),
    );
    await anOrganization(service, clerk, { id: "org_a", name: "Acme" }, { ana: "org:admin" });
    ana = aConnector(service, () => clerk.mint({ sub: "user_ana", org_id: "org_a" }));
    slack.addWorkspace({ teamId: "T0SICK" });
    await connect("T0LOCAL", "Well");
    sickId = await connect("T0SICK", "Sick");
  });
  after(() => opened.disposeAsync());

  async function connect(teamId: string, label: string): Promise<string> {
    const { url, cookie } = await ana.authorize("slack", label);
    const { status, text } = await follow(slack.approve(url, { teamId, userId: OWNER }), cookie);
    assert.equal(status, 303, text);
    return (await ana.integrations()).find((each) => each.label === label)!.id;
  }

  function cards(): readonly { readonly text: string; readonly blocks: string }[] {
    return slack
      .answers("T0LOCAL", DIRECT)
      .map(({ text, blocks }) => ({ text, blocks: JSON.stringify(blocks) }));
  }

  it("tells the owner once, with the way to repair it", async () => {
    slack.revokeToken("T0SICK");

    await ana.post("/integrations/sync/", { integration_id: sickId });
    await ana.post("/integrations/sync/", { integration_id: sickId });
    await slack.waitForCalls("chat.postMessage", 1);
    const { body } = await ana.post("/integrations/status/", { integration_id: sickId });

    assert.equal(body.health_status, "revoked");
    assert.match(body.health.detail ?? "", /reconnect/);
    assert.equal(cards().length, 1);
    assert.match(cards()[0]!.text, /^Sick \(slack\) was revoked/);
    assert.ok(
      cards()[0]!.blocks.includes(`reconnect=slack&integration_id=${sickId}`),
      cards()[0]!.blocks,
    );
  });

  it("turns the same message green once it is repaired", async () => {
    await connect("T0SICK", "Sick");
    await slack.waitForCalls("chat.update", 1);

    assert.equal(cards().length, 1);
    assert.match(cards()[0]!.text, /works again/);
    assert.ok(!cards()[0]!.blocks.includes("Reconnect"));
  });

  it("names the permission that is missing, in a new message", async () => {
    const scopes = "app_mentions:read,chat:write,commands,groups:history,im:history,mpim:history";
    const { url, cookie } = await ana.authorize("slack");
    const fewer = new URL(url);
    fewer.searchParams.set("scope", scopes);
    await follow(slack.approve(fewer.href, { teamId: "T0SICK", userId: OWNER }), cookie);

    await ana.post("/integrations/sync/", { integration_id: sickId });
    await slack.waitForCalls("chat.postMessage", 2);
    const { body } = await ana.post("/integrations/status/", { integration_id: sickId });

    assert.equal(body.health_status, "degraded");
    assert.deepEqual(body.health.missing_permissions, ["channels:history"]);
    assert.ok(cards()[1]!.blocks.includes("Missing: channels:history"));
  });

  it("says so when the account ended the connection itself", async () => {
    await slack.sendEvent("T0SICK", { type: "app_uninstalled" }).acked;
    await slack.waitForCalls("chat.update", 2);

    assert.equal(cards().length, 2);
    assert.match(cards()[1]!.text, /was disconnected: the app was uninstalled/);
  });
});
