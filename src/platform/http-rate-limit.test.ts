import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { systemClock } from "./clock.ts";
import { createHttpServer } from "./http-server.ts";
import { createIds } from "./ids.ts";
import { createLog } from "./log.ts";
import { route } from "./route.ts";
import { createScrubber } from "./scrubber.ts";

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
