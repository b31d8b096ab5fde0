import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { App } from "#app";
import { Secret } from "#platform";
import { startFakeClerk, userEvent, type FakeClerk } from "../fakes/clerk/index.ts";
import { startFakeSlack, type FakeSlack } from "../fakes/slack/index.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { aMembership, anOrganization, DIRECTORY_START_MS, tell } from "../support/directory.ts";
import { aHome, startService, untilSettled } from "../support/service.ts";

describe("Whom people in a chat act as", () => {
  let clerk: FakeClerk;
  let slack: FakeSlack;
  let database: TestDatabase;
  let service: App;
  const opened = new AsyncDisposableStack();

  before(async () => {
    clerk = opened.use(await startFakeClerk());
    slack = opened.use(await startFakeSlack());
    database = opened.use(await createTestDatabase());
    const home = opened.use(aHome());
    service = opened.use(
      await startService({
        databaseUrl: database.url,
        home: home.path,
        slack: { apiUrl: slack.apiUrl, appToken: slack.appToken },
        clerk: { ...clerk, webhookSecrets: [clerk.webhookSecret] },
      }),
    );
    await anOrganization(
      service,
      clerk,
      { id: "org_a", name: "Acme" },
      {
        ana: "org:admin",
        ben: "org:member",
      },
    );
    await anOrganization(service, clerk, { id: "org_b", name: "Bolt" }, { mal: "org:admin" });
    const { id } = await database.db
      .selectFrom("organizations")
      .select("id")
      .where("clerk_org_id", "=", "org_a")
      .executeTakeFirstOrThrow();
    await service.connect(
      {
        organizationId: id,
        connectorId: "slack",
        credentials: { bot_token: new Secret(slack.workspace.botToken) },
      },
      { signal: AbortSignal.timeout(10_000) },
    );
    await slack.waitForConnections(2);
  });
  after(() => opened.disposeAsync());

  /** What somebody is told privately when they use the command. */
  async function command(userId: string, text: string): Promise<string> {
    const sent = slack.slashCommand(slack.workspace.teamId, slack.channel.id, {
      command: "/infragpt",
      text,
      userId,
    });
    await sent.acked;
    await untilSettled(database);
    const said = slack.messages().filter((message) => message.ephemeralTo === userId);
    return said.at(-1)?.visibleText ?? "";
  }

  function sessionOf(name: string, organizationId = "org_a"): Record<string, string> {
    const token = clerk.mint({ sub: `user_${name}`, org_id: organizationId });
    return { cookie: `other=1; __session=${token}` };
  }

  async function linkOf(userId: string): Promise<string> {
    const said = await command(userId, "link");
    const token = /\/link\?token=([\w-]{43})/.exec(said)?.[1];
    assert.ok(token, said);
    return token;
  }

  async function open(token: string, headers: Record<string, string>) {
    const answer = await fetch(`${service.addresses.http}/link?token=${token}`, { headers });
    return { status: answer.status, text: await answer.text() };
  }

  async function confirm(token: string, headers: Record<string, string>, origin?: string) {
    const answer = await fetch(`${service.addresses.http}/link`, {
      method: "POST",
      headers: {
        ...headers,
        "content-type": "application/x-www-form-urlencoded",
        origin: origin ?? service.addresses.http,
      },
      body: new URLSearchParams({ token }),
    });
    return { status: answer.status, text: await answer.text() };
  }

  it("is nobody until they are linked", async () => {
    assert.match(await command("UANA", "monitor people"), /do not know who you are/);
  });

  it("is the member who confirms on a page that names both sides, once", async () => {
    const token = await linkOf("UANA");
    assert.equal((await open(token, {})).status, 401);
    const page = await open(token, sessionOf("ana"));
    assert.equal(page.status, 200);
    assert.match(page.text, /@uana \(UANA\) of Team .* to ana\?/);

    assert.equal((await confirm(token, sessionOf("ana"), "https://evil.example.com")).status, 403);
    assert.equal((await confirm(token, sessionOf("mal", "org_b"))).status, 404);
    assert.equal((await confirm(token, sessionOf("ana"))).status, 200);
    assert.equal((await confirm(token, sessionOf("ana"))).status, 404);

    assert.match(await command("UANA", "monitor people"), /I now answer what people write/);
  });

  it("has that member's own permissions, and is told which one is missing", async () => {
    await confirm(await linkOf("UBEN"), sessionOf("ben"));

    assert.match(
      await command("UBEN", "monitor off"),
      /channel:monitor.*admin of your organization/,
    );
  });

  it("is nobody for guests and people of other workspaces, whatever they try", async () => {
    assert.match(await command("UGUEST1", "link"), /cannot be linked/);
    assert.match(await command("USTRANGER1", "link"), /cannot be linked/);
    assert.match(await command("USTRANGER1", "monitor off"), /do not know who you are/);
  });

  it("is matched by verified e-mail only where the admin allows it", async () => {
    const renamed = { id: "user_ben", atMs: DIRECTORY_START_MS + 1, email: "ubenmail@example.com" };
    await tell(service, clerk, userEvent("updated", renamed));
    assert.match(await command("UBENMAIL", "monitor off"), /do not know who you are/);

    const allowed = await fetch(`${service.addresses.http}/api/v1/chat-users/settings`, {
      method: "PUT",
      headers: {
        authorization: `Bearer ${clerk.mint({ sub: "user_ana", org_id: "org_a" })}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({ allows_email_match: true }),
    });
    assert.equal(allowed.status, 200);

    assert.match(await command("UBENMAIL", "monitor off"), /lack the permission channel:monitor/);
  });

  it("ends with the unlinking, and with the membership", async () => {
    assert.match(await command("UANA", "unlink"), /no longer tied/);
    assert.match(await command("UANA", "monitor off"), /do not know who you are/);

    await tell(service, clerk, aMembership("deleted", "ben", "org_a"));
    assert.match(await command("UBEN", "monitor off"), /do not know who you are/);
  });
});
