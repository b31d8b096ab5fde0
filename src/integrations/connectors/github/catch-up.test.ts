import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { createGitHubConnector } from "./create-connector.ts";
import { configOf, startAcme } from "./github-testing.ts";
import { Listener, Pauses } from "./listening-testing.ts";
import { pauseFor } from "./missed-deliveries.ts";

const DELIVERIES = "GET /app/hook/deliveries";
const MINUTE_MS = 60_000;

describe("Looking for missed deliveries", () => {
  it("happens about every minute, not at the same time everywhere", async () => {
    const spread = [0, 0.5, 0.999_999];
    const pauses = new Pauses();
    const deps = { random: () => spread[pauses.asked.length] ?? 0, pause: pauses.pause };
    await using acme = await startAcme({ deps });
    await using listener = new Listener(acme.connector, pauses);

    for (const _ of spread) await listener.look();

    assert.deepEqual(pauses.asked.map(Math.round), [48_000, 60_000, 72_000]);
  });

  it("waits as long as GitHub wants", async () => {
    const pauses = new Pauses();
    await using acme = await startAcme({ deps: { pause: pauses.pause } });
    await using listener = new Listener(acme.connector, pauses);
    acme.github.fail(DELIVERIES, { kind: "rate_limited", retryAfterSeconds: 1_800 });
    acme.github.fail(DELIVERIES, { kind: "rate_limited", retryAfterSeconds: 1 });

    await listener.look();
    await listener.look();

    assert.equal(pauses.asked[0], 30 * MINUTE_MS);
    assert.ok(pauses.asked[1]! >= 0.8 * MINUTE_MS, "a short wait is not a reason to hurry");
  });

  it("says how its link is, each time that changes, and why", async () => {
    const pauses = new Pauses();
    await using acme = await startAcme({ deps: { pause: pauses.pause } });
    await using listener = new Listener(acme.connector, pauses);

    await listener.look();
    await listener.look();
    acme.github.fail(DELIVERIES, { kind: "http", status: 503 }, { times: 2 });
    for (let looks = 0; looks < 4; looks += 1) await listener.look();

    assert.deepEqual(
      listener.links.map(({ state }) => state),
      ["connecting", "open", "closed", "open"],
    );
    assert.match(listener.links[2]?.detail ?? "", /GitHub answered 503/);
  });

  it("ends at once when it is told to, in a pause", async () => {
    const stop = new AbortController();

    const pause = pauseFor(24 * 60 * MINUTE_MS, stop);
    stop.abort();

    await pause;
    await pauseFor(24 * 60 * MINUTE_MS, stop);
  });

  it("ends at once when it is told to, while GitHub says nothing", async () => {
    const pauses = new Pauses();
    await using acme = await startAcme({ deps: { pause: pauses.pause } });
    await using listener = new Listener(acme.connector, pauses);
    acme.github.fail(DELIVERIES, { kind: "hang" });
    void listener.look();
    await acme.github.waitForCalls(DELIVERIES, 1);

    await listener.stop();

    assert.deepEqual(listener.warnings, []);
    assert.deepEqual(pauses.asked, []);
  });

  it("does not begin when it was told to end before", async () => {
    await using acme = await startAcme();
    await using listener = new Listener(acme.connector, new Pauses());

    await listener.stop();

    assert.deepEqual(acme.github.calls(DELIVERIES), []);
  });

  it("takes ids that no number holds", async () => {
    const ids = ["9007199254740993", "9223372036854775807"];
    await using log = await startLog(ids);
    await using acme = await startAcme();
    const pauses = new Pauses();
    const config = { ...configOf(acme.github), apiUrl: log.url };
    const connector = createGitHubConnector(config, { guardedFetch: fetch, pause: pauses.pause });
    await using listener = new Listener(connector, pauses);

    await listener.look();

    assert.deepEqual(log.asked, ids.toReversed());
    assert.equal(listener.delivered.length, 2);
    const [delivery] = listener.delivered;
    assert.equal(delivery?.orderKey, "7:8");
    // As JSON.parse reads what a webhook brings.
    assert.partialDeepStrictEqual(JSON.parse(Buffer.from(delivery.body).toString()), {
      run: { id: Number(ids[1]) },
    });
  });
});

/** A log of deliveries with these ids, newest first, as text: JSON.stringify would round them. */
async function startLog(ids: readonly string[]) {
  const asked: string[] = [];
  const server = createServer(({ url = "" }, response) => {
    response.setHeader("content-type", "application/json; charset=utf-8");
    const id = /deliveries\/(\d+)$/.exec(url)?.[1];
    if (id !== undefined) asked.push(id);
    response.end(id === undefined ? `[${ids.map(attemptOf).join()}]` : deliveryOf(id));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    asked,
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function attemptOf(id: string): string {
  const at = new Date().toISOString();
  return `{"id":${id},"guid":"guid-${id}","delivered_at":"${at}","status_code":502,"event":"push","installation_id":7}`;
}

function deliveryOf(id: string): string {
  const payload = `{"installation":{"id":7},"repository":{"id":8},"run":{"id":${id}}}`;
  return `{"id":${id},"request":{"headers":{},"payload":${payload}}}`;
}
