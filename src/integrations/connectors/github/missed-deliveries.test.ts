import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { aClock, startAcme, type Acme } from "./github-testing.ts";
import { Listener, Pauses } from "./listening-testing.ts";

const DELIVERIES = "GET /app/hook/deliveries";
const DELIVERY = "GET /app/hook/deliveries/{delivery_id}";
const HOUR_MS = 3_600_000;

describe("A delivery that did not arrive", () => {
  it("is fetched once, the oldest first, and what arrived is not", async () => {
    await using world = await start();
    const { listener, send, receiver } = world;
    const first = await send();
    receiver.status = 500;
    world.github.setReceiver(receiver.url);
    const second = await send();
    receiver.status = 200;
    await send();
    world.github.setReceiver(undefined);
    const third = await send();

    await listener.look();
    await listener.look();

    assert.deepEqual(listener.guids(), [first, second, third]);
    assert.equal(world.github.calls(DELIVERY).length, 3);
  });

  it("is fetched as it was sent", async () => {
    await using world = await start();
    const payload = {
      ref: "refs/heads/main",
      repository: { id: 7, full_name: "acme/payments" },
      installation: { id: Number(world.connection.accountId) },
      head_commit: { message: "支払い 💥" },
    };
    const { guid } = await world.github.send("push", payload);

    await world.listener.look();

    const [delivery] = world.listener.delivered;
    const { accountId } = world.connection;
    assert.deepEqual(
      { ...delivery, body: JSON.parse(Buffer.from(delivery!.body).toString()) },
      {
        deliveryId: guid,
        accountId,
        orderKey: `${accountId}:7`,
        kind: "push",
        body: payload,
      },
    );
  });

  it("arrived when it was sent again and arrived then, by somebody else's hand", async () => {
    await using world = await start();
    const { receiver } = world;
    const again = await world.send();
    const lost = await world.send();
    world.github.setReceiver(receiver.url);
    await world.github.redeliver(again);
    receiver.status = 503;
    await world.github.redeliver(lost);

    await world.listener.look();

    assert.deepEqual(world.listener.guids(), [lost]);
  });

  it("of no account is left alone", async () => {
    await using world = await start();
    await world.github.send("ping", { zen: "Keep it logically awesome." });
    const guid = await world.send();

    await world.listener.look();

    assert.deepEqual(world.listener.guids(), [guid]);
    assert.equal(world.github.calls(DELIVERY).length, 1);
  });

  it("is found behind several pages", async () => {
    await using world = await start({ pageSizeMax: 3 });
    const guids = await world.sendMany(10);

    await world.listener.look();

    assert.deepEqual(world.listener.guids(), guids);
    assert.equal(world.github.calls(DELIVERIES).length, 4);
  });

  it("is looked for from six hours before the last one was stored", async () => {
    const clock = aClock();
    const lastDeliveredAt = new Date(clock.nowMs() + 20 * HOUR_MS);
    await using world = await start({ clock, lastDeliveredAt });
    await world.send();
    clock.pass(15 * HOUR_MS);
    const recent = await world.send();
    clock.pass(5 * HOUR_MS);

    await world.listener.look();

    assert.deepEqual(world.listener.guids(), [recent]);
  });

  it("is looked for in all three days that GitHub remembers when none was ever stored", async () => {
    const clock = aClock();
    await using world = await start({ clock, pageSizeMax: 1 });
    await world.send();
    clock.pass(2 * HOUR_MS);
    const guid = await world.send();
    clock.pass(71 * HOUR_MS);

    await world.listener.look();

    assert.deepEqual(world.listener.guids(), [guid]);
  });

  it("is found by the next look when it failed in the meantime, and the past is not read again", async () => {
    const clock = aClock(HOUR_MS);
    await using world = await start({ clock, pageSizeMax: 3 });
    await world.sendMany(9);
    await world.listener.look();
    const before = world.github.calls(DELIVERIES).length;
    clock.pass(HOUR_MS);
    const later = await world.send();

    await world.listener.look();
    await world.listener.look();

    assert.equal(world.listener.guids().at(-1), later);
    assert.equal(world.listener.delivered.length, 10);
    // The first of the two goes back to the nine once more, the second does not.
    assert.equal(world.github.calls(DELIVERIES).length - before, 5);
  });

  it("waits for the next look when there are more than 200", async () => {
    await using world = await start();
    const guids = await world.sendMany(250);

    await world.listener.look();
    assert.deepEqual(world.listener.guids(), guids.slice(0, 200));

    await world.listener.look();
    assert.deepEqual(world.listener.guids(), guids);
    assert.equal(world.github.calls(DELIVERY).length, 250);
  });

  it("does not stand in the way of others when GitHub has it no more", async () => {
    await using world = await start();
    const [, second, third] = await world.sendMany(3);
    world.github.fail(DELIVERY, { kind: "http", status: 404 });

    await world.listener.look();
    await world.listener.look();

    assert.deepEqual(world.listener.guids(), [second, third]);
    assert.equal(world.listener.links.at(-1)?.state, "open");
    assert.match(world.listener.warnings.join(), /cannot be read any more/);
  });

  it("is tried again by the next look when it could not be stored", async () => {
    let isBroken = true;
    const stored: string[] = [];
    await using world = await start({
      async deliver({ deliveryId }) {
        if (stored.length === 1 && isBroken) throw new Error("The database is away.");
        stored.push(deliveryId);
      },
    });
    const guids = await world.sendMany(3);

    await world.listener.look();
    assert.deepEqual(stored, guids.slice(0, 1));
    assert.equal(world.listener.links.at(-1)?.state, "closed");

    isBroken = false;
    await world.listener.look();
    assert.deepEqual(stored, guids);
    assert.equal(world.listener.links.at(-1)?.state, "open");
  });
});

type WorldOptions = NonNullable<ConstructorParameters<typeof Listener>[2]> & {
  readonly pageSizeMax?: number;
  readonly clock?: ReturnType<typeof aClock>;
};

type World = Acme & {
  readonly listener: Listener;
  readonly receiver: Awaited<ReturnType<typeof startReceiver>>;
  /** Sends something to nobody, and returns its guid. */
  send(): Promise<string>;
  sendMany(count: number): Promise<readonly string[]>;
};

/** A GitHub that has reached us so far, and reaches us no more. */
async function start(options: WorldOptions = {}): Promise<World> {
  const { pageSizeMax = 100, clock = aClock(), ...hearing } = options;
  const pauses = new Pauses();
  const receiver = await startReceiver();
  const acme = await startAcme({
    fake: { pageSizeMax, now: clock.nowMs },
    deps: { clock, pause: pauses.pause },
    receiver: receiver.url,
  });
  await acme.github.settled();
  acme.github.setReceiver(undefined);
  const listener = new Listener(acme.connector, pauses, hearing);
  const installationId = Number(acme.connection.accountId);
  async function send(): Promise<string> {
    const payload = { ref: "refs/heads/main" };
    return (await acme.github.send("push", payload, { installationId })).guid;
  }
  return {
    ...acme,
    listener,
    receiver,
    send,
    async sendMany(count) {
      const guids: string[] = [];
      for (let sent = 0; sent < count; sent += 1) guids.push(await send());
      return guids;
    },
    async [Symbol.asyncDispose]() {
      await listener.stop();
      await acme[Symbol.asyncDispose]();
      await receiver[Symbol.asyncDispose]();
    },
  };
}

/** Where webhooks arrive, and what it answers them. */
async function startReceiver() {
  const receiver = { status: 200, url: "", [Symbol.asyncDispose]: close };
  const server = createServer((request, response) => {
    request.resume().once("end", () => response.writeHead(receiver.status).end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return receiver;

  async function close(): Promise<void> {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
