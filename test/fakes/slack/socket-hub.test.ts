import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { WebSocket } from "ws";

import { type FakeSlack, type JsonObject, startFakeSlack } from "./index.ts";
import { isObject } from "./json.ts";

let slack: FakeSlack;
const sockets: WebSocket[] = [];

beforeEach(async () => {
  slack = await startFakeSlack();
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate();
  await slack[Symbol.asyncDispose]();
});

describe("the fake's end of a socket", () => {
  it("refuses connections as told, then lets them in", async () => {
    slack.refuseConnections(500, 1);
    const opened = await fetchTicket();
    const second = await fetchTicket();
    slack.refuseConnections({ upgradeStatus: 503 }, 1);

    const status = await new Promise((resolve) => {
      const ws = new WebSocket(String(second["url"]));
      ws.on("unexpected-response", (_, response) => resolve(response.statusCode));
    });

    assert.equal(opened["ok"], false);
    assert.equal(status, 503);
    slack.refuseConnections("invalid_auth", 1);
    assert.equal((await fetchTicket())["error"], "invalid_auth");
    assert.match(await connect(), /"hello"/);
  });

  it("sends any bytes, and tells how many are connected", async () => {
    const { url } = await fetchTicket();
    const frames: string[] = [];
    const ws = new WebSocket(String(url));
    const third = Promise.withResolvers<void>();
    ws.on("message", (data) => {
      frames.push(Buffer.isBuffer(data) ? data.toString() : "not text");
      if (frames.length === 1) slack.sendRaw("null");
      if (frames.length === 2) slack.sendRaw("{half");
      if (frames.length === 3) third.resolve();
    });
    await third.promise;
    ws.terminate();

    assert.match(frames[0]!, /"num_connections":1/);
    assert.deepEqual(frames.slice(1), ["null", "{half"]);
  });

  it("sends an eleventh socket away", async () => {
    for (let number = 1; number <= 10; number += 1) assert.match(await connect(), /"hello"/);

    const eleventh = await connect();

    assert.match(eleventh, /"disconnect".*"too_many_websockets"/);
  });
});

/** Opens a socket for the rest of the test; returns its first frame. */
async function connect(): Promise<string> {
  const ws = new WebSocket(String((await fetchTicket())["url"]));
  sockets.push(ws);
  return new Promise((resolve, reject) => {
    ws.on("error", reject);
    ws.on("message", (data) => resolve(Buffer.isBuffer(data) ? data.toString() : "not text"));
  });
}

async function fetchTicket(): Promise<JsonObject> {
  const response = await fetch(`${slack.apiUrl}apps.connections.open`, {
    method: "POST",
    headers: { authorization: `Bearer ${slack.appToken}` },
  });
  const ticket: unknown = await response.json();
  assert.ok(isObject(ticket));
  return ticket;
}
