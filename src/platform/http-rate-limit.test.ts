import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { systemClock } from "./clock.ts";
import { createHttpServer } from "./http-server.ts";
import { createIds } from "./ids.ts";
import { createLog } from "./log.ts";
import { route } from "./route.ts";
import { createScrubber } from "./scrubber.ts";
import { serve } from "./testing/http.ts";

test("strangers are limited by address, people by who they are, webhooks and probes apart from both", async () => {
  const answer = z.strictObject({});
  const server = createHttpServer({
    log: createLog({ level: "fatal", format: "json", scrubber: createScrubber() }),
    host: "127.0.0.1",
    port: 0,
    isHttpLogOn: false,
    mode: "local",
    ids: createIds(),
    clock: systemClock,
    rateLimits: { perAddress: 10, perPrincipal: 2, perAddressRaw: 3 },
    authenticate: async ({ authorization }) =>
      authorization
        ? { kind: "service", organizationId: "o", id: authorization, permissions: new Set() }
        : undefined,
    routes: [
      route({
        method: "GET",
        path: "/mine",
        summary: "",
        access: "principal",
        answer,
        handle: async () => ({}),
      }),
      route({
        method: "GET",
        path: "/probe",
        summary: "",
        access: "public",
        answer,
        handle: async () => ({}),
      }),
    ],
    rawRoutes: [
      { method: "POST", path: "/hook", bodyBytesMax: 10, handle: async () => ({ status: 204 }) },
    ],
  });
  const { url } = await server.start();
  async function statuses(times: number, path: string, init: RequestInit = {}): Promise<number[]> {
    const seen: number[] = [];
    for (let n = 0; n < times; n++) {
      const answered = await fetch(url + path, init);
      assert.equal(answered.headers.has("retry-after"), answered.status === 429);
      seen.push(answered.status);
    }
    return seen;
  }

  assert.deepEqual(
    await statuses(3, "/mine", { headers: { authorization: "a" } }),
    [200, 200, 429],
  );
  assert.deepEqual(await statuses(2, "/mine", { headers: { authorization: "b" } }), [200, 200]);
  assert.deepEqual(await statuses(6, "/mine"), [401, 401, 401, 401, 401, 429]);
  assert.deepEqual(await statuses(4, "/hook", { method: "POST" }), [204, 204, 204, 429]);
  assert.deepEqual(await statuses(12, "/probe"), Array(12).fill(200));

  await server.stop();
});

async function statusesOf(trustedProxies: readonly string[]): Promise<readonly number[]> {
  const { url } = await serve({
    trustedProxies,
    rateLimits: { perAddress: 1, perPrincipal: 1, perAddressRaw: 1 },
    rawRoutes: [
      { method: "POST", path: "/hook", bodyBytesMax: 1, handle: async () => ({ status: 204 }) },
    ],
  });
  const seen: number[] = [];
  for (const caller of ["192.0.2.1", "192.0.2.2", "192.0.2.2"]) {
    const headers = { "x-forwarded-for": caller };
    seen.push((await fetch(`${url}/hook`, { method: "POST", headers })).status);
  }
  return seen;
}

test("callers behind a trusted proxy are counted one by one, and nobody else is believed", async () => {
  assert.deepEqual(await statusesOf(["127.0.0.0/8"]), [204, 204, 429]);
  assert.deepEqual(await statusesOf(["10.0.0.0/8"]), [204, 429, 429]);
  assert.deepEqual(await statusesOf([]), [204, 429, 429]);
});
