import assert from "node:assert/strict";
import { it } from "node:test";
import type { WebhookOutcome, WebhookRequest } from "../connector.ts";
import type { Delivery } from "../inbound.ts";
import { assertNoSecret } from "./checking.ts";
import type { ContractVendor, ContractWebhook, StartVendor } from "./vendor.ts";

const TEN_MINUTES_MS = 600_000;
/** Bits tried in a body; every bit of a long one would only take longer. */
const FLIPS_MAX = 256;

/** What arrives: signatures, replays, rubbish. */
export function checkWebhooks(start: StartVendor): void {
  it("takes what the vendor signed, and the same id for the same delivery", async (test) => {
    await using vendor = await start();
    if (!vendor.webhooks?.length) return test.skip("no webhooks");

    for (const webhook of vendor.webhooks) {
      const first = deliveryOf(await receive(vendor, webhook, genuine(webhook, "1")));
      const again = deliveryOf(await receive(vendor, webhook, genuine(webhook, "1")));
      const other = deliveryOf(await receive(vendor, webhook, genuine(webhook, "2")));

      assert.equal(again.deliveryId, first.deliveryId, "a redelivery has another id");
      assert.notEqual(other.deliveryId, first.deliveryId, "two deliveries have one id");
      for (const key of [first.deliveryId, first.accountId, first.orderKey, first.kind]) {
        assert.ok(key.length > 0 && key.length <= 500);
      }
    }
  });

  it("refuses a body with any bit changed, a missing signature and another's", async (test) => {
    await using vendor = await start();
    if (!vendor.webhooks?.length) return test.skip("no webhooks");

    for (const webhook of vendor.webhooks) {
      const good = genuine(webhook, "1");
      for (const body of flips(good.body)) await assertRefused(vendor, webhook, { ...good, body });
      await assertRefused(vendor, webhook, { ...good, body: new Uint8Array() });
      await assertRefused(vendor, webhook, { ...good, headers: {} });
      const swapped = genuine(webhook, "2");
      await assertRefused(vendor, webhook, { ...good, body: swapped.body });
    }
  });

  it("refuses what was signed ten minutes ago, or is signed for in ten minutes", async (test) => {
    await using vendor = await start();
    const timed = vendor.webhooks?.filter(({ isTimed }) => isTimed) ?? [];
    if (timed.length === 0) return test.skip("signatures do not cover the time");

    for (const webhook of timed) {
      for (const offMs of [-TEN_MINUTES_MS, TEN_MINUTES_MS]) {
        const at = new Date(Date.now() + offMs);
        await assertRefused(vendor, webhook, {
          ...webhook.sign({ at, id: "1" }),
          receivedAt: new Date(),
        });
      }
    }
  });

  it("reads what it took the same way each time", async (test) => {
    await using vendor = await start();
    const { parse } = vendor.connector;
    if (!vendor.webhooks?.length || !parse) return test.skip("nothing to read");

    for (const webhook of vendor.webhooks) {
      const delivery = deliveryOf(await receive(vendor, webhook, genuine(webhook, "1")));
      const events = parse(delivery, webhook.account);
      assert.ok(events.length > 0, "it means nothing, not even `ignored`");
      assert.deepEqual(parse(delivery, webhook.account), events);
      assertNoSecret(vendor, "an event", events);
      assertBounded(events);
    }
  });
}

function genuine(webhook: ContractWebhook, id: string): WebhookRequest {
  return webhook.sign({ at: new Date(), id });
}

async function receive(
  vendor: ContractVendor,
  { path }: ContractWebhook,
  request: WebhookRequest,
): Promise<WebhookOutcome> {
  const webhook = vendor.connector.webhooks?.find((each) => each.path === path);
  assert.ok(webhook, `the connector has no webhook ${path}`);
  return webhook.receive(request);
}

function deliveryOf(outcome: WebhookOutcome): Delivery {
  assert.equal(outcome.kind, "deliver", JSON.stringify(outcome));
  assert.ok(outcome.kind === "deliver");
  return outcome.delivery;
}

async function assertRefused(
  vendor: ContractVendor,
  webhook: ContractWebhook,
  request: WebhookRequest,
): Promise<void> {
  const outcome = await receive(vendor, webhook, request);
  assert.equal(outcome.kind, "refuse", "a forged request was taken");
  assertNoSecret(vendor, "a refusal", outcome);
}

function* flips(body: Uint8Array): Iterable<Uint8Array> {
  const bits = body.byteLength * 8;
  const step = Math.max(1, Math.floor(bits / FLIPS_MAX));
  for (let bit = 0; bit < bits; bit += step) {
    const changed = Uint8Array.from(body);
    const index = bit >> 3;
    changed[index] = (changed[index] ?? 0) ^ (1 << (bit & 7));
    yield changed;
  }
}

/** Text of strangers ends up in rows, logs and prompts. */
function assertBounded(value: unknown): void {
  const size = JSON.stringify(value).length;
  assert.ok(size <= 256 * 1024, `events of ${size} characters`);
}
