import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe, test } from "node:test";
import { Secret, type Webhook, type WebhookOutcome } from "@infragpt/connector-kit";
import { createSlackConnector } from "./create-connector.ts";
import { eventPayload, messageEvent } from "./test-payloads.ts";

const NOW = new Date("2026-11-23T10:00:00Z");
const NOW_SECONDS = NOW.getTime() / 1_000;

function createWebhooks(...secrets: readonly string[]): readonly Webhook[] {
  const connector = createSlackConnector(
    {
      transport: "http",
      apiUrl: "https://slack.com/api/",
      signingSecrets: secrets.map((secret) => new Secret(secret)),
      sockets: 2,
      callTimeoutMs: 1_000,
    },
    { clock: { now: () => NOW } },
  );
  return connector.webhooks ?? [];
}

interface Signed {
  readonly path?: string;
  readonly body: string | Uint8Array;
  readonly secret?: string;
  readonly timestamp?: string;
  readonly signature?: string;
}

function receive(signed: Signed, webhooks = createWebhooks("s3cret")): WebhookOutcome {
  const { path = "/slack/events", secret = "s3cret", timestamp = String(NOW_SECONDS) } = signed;
  const body = typeof signed.body === "string" ? Buffer.from(signed.body) : signed.body;
  const hmac = createHmac("sha256", secret).update(`v0:${timestamp}:`).update(body).digest("hex");
  const webhook = webhooks.find((one) => one.path === path);
  assert.ok(webhook);
  const outcome = webhook.receive({
    path,
    headers: {
      "x-slack-request-timestamp": timestamp,
      "x-slack-signature": signed.signature ?? `v0=${hmac}`,
    },
    body,
    receivedAt: NOW,
  });
  assert.ok(!(outcome instanceof Promise), "Slack's requests are judged at once");
  return outcome;
}

const EVENT = JSON.stringify(eventPayload(messageEvent()));

describe("Slack's requests", () => {
  test("a signed event is delivered", () => {
    const outcome = receive({ body: EVENT });

    assert.equal(outcome.kind, "deliver");
    assert.equal(outcome.delivery.deliveryId, "Ev1");
    assert.equal(outcome.reply, undefined);
  });

  test("a second secret is taken while one is being replaced", () => {
    const webhooks = createWebhooks("new", "old");

    assert.equal(receive({ body: EVENT, secret: "old" }, webhooks).kind, "deliver");
    assert.equal(receive({ body: EVENT, secret: "other" }, webhooks).kind, "refuse");
  });

  const refused: readonly (readonly [string, Signed])[] = [
    ["of another secret", { body: EVENT, secret: "other" }],
    ["301 s old", { body: EVENT, timestamp: String(NOW_SECONDS - 301) }],
    ["from 301 s ahead", { body: EVENT, timestamp: String(NOW_SECONDS + 301) }],
    ["with a time that is no number", { body: EVENT, timestamp: "1e9" }],
    ["with a negative time", { body: EVENT, timestamp: `-${NOW_SECONDS}` }],
    ["with a time of 12 digits", { body: EVENT, timestamp: "123456789012" }],
    ["without a signature", { body: EVENT, signature: "" }],
    ["with a signature of another length", { body: EVENT, signature: "v0=abcd" }],
    ["with a signature of another version", { body: EVENT, signature: `v1=${"0".repeat(64)}` }],
    ["to verify the address", { body: '{"type":"url_verification"}', secret: "other" }],
    ["that is not JSON", { body: "{", secret: "other" }],
  ];
  for (const [what, signed] of refused) {
    test(`a request ${what} is refused with 401`, () => {
      assert.equal(refusalOf(receive(signed)), 401);
    });
  }

  test("a time at the edge of the window is taken in both directions", () => {
    for (const offset of [-300, 300]) {
      const timestamp = String(NOW_SECONDS + offset);
      assert.equal(receive({ body: EVENT, timestamp }).kind, "deliver");
    }
  });

  test("bytes that decode to the same text are not the same bytes", () => {
    const hmac = createHmac("sha256", "s3cret");
    const replacement = Buffer.from('{"a":"\uFFFD"}');
    const signature = `v0=${hmac.update(`v0:${NOW_SECONDS}:`).update(replacement).digest("hex")}`;
    const invalid = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}')]);

    assert.equal(refusalOf(receive({ body: invalid, signature })), 401);
  });

  test("the address is verified by echoing the challenge as plain text", () => {
    const outcome = receive({ body: '{"type":"url_verification","challenge":"<b>3eZ"}' });

    assert.deepEqual(outcome, {
      kind: "reply",
      reply: { status: 200, contentType: "text/plain; charset=utf-8", body: "<b>3eZ" },
    });
  });

  test("a challenge without end is cut", () => {
    const body = JSON.stringify({ type: "url_verification", challenge: "x".repeat(100_000) });

    const outcome = receive({ body });

    assert.equal(outcome.kind, "reply");
    assert.ok((outcome.reply.body?.length ?? 0) <= 1_000);
  });

  test("a click comes as a form with a payload field", () => {
    const payload = { type: "block_actions", team: { id: "T1" }, trigger_id: "1.2.x" };
    const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();

    const outcome = receive({ path: "/slack/interactivity", body });

    assert.equal(outcome.kind, "deliver");
    assert.equal(outcome.delivery.deliveryId, "interaction:1.2.x");
  });

  test("a command comes as a form and is the same delivery as over a socket", () => {
    const body = new URLSearchParams({
      command: "/infragpt",
      text: "héllo & more",
      team_id: "T1",
      channel_id: "C1",
      user_id: "U1",
      trigger_id: "1.2.x",
      is_enterprise_install: "false",
    }).toString();

    const outcome = receive({ path: "/slack/commands", body });

    assert.equal(outcome.kind, "deliver");
    assert.equal(outcome.delivery.deliveryId, "command:1.2.x");
    assert.match(Buffer.from(outcome.delivery.body).toString(), /"text":"héllo & more"/);
  });

  test("a signed body that nobody understands is refused with 400", () => {
    assert.equal(refusalOf(receive({ body: "{" })), 400);
    assert.equal(refusalOf(receive({ body: "[]" })), 400);
    assert.equal(refusalOf(receive({ path: "/slack/interactivity", body: "a=b" })), 400);
  });

  test("a notice that concerns no delivery is answered with 200", () => {
    const outcome = receive({ body: '{"type":"app_rate_limited","team_id":"T1"}' });

    assert.deepEqual(outcome, { kind: "reply", reply: { status: 200 } });
  });

  test("without a signing secret there is no address at all", () => {
    assert.deepEqual(createWebhooks(), []);
  });

  test("an empty signing secret signs nothing", () => {
    assert.equal(refusalOf(receive({ body: EVENT, secret: "" }, createWebhooks(""))), 401);
  });
});

function refusalOf(outcome: WebhookOutcome): number | undefined {
  return outcome.kind === "refuse" ? outcome.status : undefined;
}
