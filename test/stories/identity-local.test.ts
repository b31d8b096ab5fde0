import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, describe, it } from "node:test";
import type { App } from "#app";
import { createTestDatabase } from "../support/database.ts";
import { aHome, startService } from "../support/service.ts";

const CONSOLE = "https://console.example.com";

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

describe("Signing in on the machine that the service runs on", () => {
  let service: App;
  const opened = new AsyncDisposableStack();

  before(async () => {
    const database = opened.use(await createTestDatabase());
    const home = opened.use(aHome());
    service = opened.use(
      await startService({
        databaseUrl: database.url,
        home: home.path,
        corsOrigins: [CONSOLE],
      }),
    );
  });
  after(() => opened.disposeAsync());

  /** Not fetch, which sets Host and Origin itself. */
  async function send(
    path: string,
    {
      method = "GET",
      headers = {},
      body,
    }: { method?: string; headers?: Record<string, string>; body?: string } = {},
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const sent = request(`${service.addresses.http}${path}`, { method, headers }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("end", () =>
          resolve({
            status: answer.statusCode ?? 0,
            headers: answer.headers,
            text: Buffer.concat(chunks).toString("utf8"),
          }),
        );
      });
      sent.on("error", reject);
      sent.end(body);
    });
  }

  async function linkPath(): Promise<string> {
    const link = new URL((await service.createLoginLink())!);
    return link.pathname + link.search;
  }

  async function signIn(): Promise<string> {
    const answer = await send(await linkPath());
    assert.equal(answer.status, 303);
    const cookie = String(answer.headers["set-cookie"]);
    assert.match(cookie, /HttpOnly; SameSite=Lax$/);
    return cookie.split(";")[0]!;
  }

  async function preflight(origin: string): Promise<Answer> {
    const headers = { origin, "access-control-request-method": "POST" };
    return send("/api/v1/tokens", { method: "OPTIONS", headers });
  }

  it("takes a link once, and its session everywhere", async () => {
    const path = await linkPath();
    const first = await send(path);
    const second = await send(path);

    assert.equal(first.status, 303);
    assert.equal(second.status, 401);
    const cookie = String(first.headers["set-cookie"]).split(";")[0]!;
    const me = await send("/api/v1/me", { headers: { cookie } });
    assert.equal(me.status, 200);
    assert.equal(JSON.parse(me.text).kind, "local");
  });

  it("refuses names that only point to this machine, and no link is lost by it", async () => {
    const path = await linkPath();
    for (const host of ["evil.example.com", "127.0.0.1.evil.example.com", "localhost.evil.com"]) {
      assert.notEqual((await send(path, { headers: { host } })).status, 303, host);
    }
    assert.equal((await send(path)).status, 303);

    const cookie = await signIn();
    const rebound = await send("/api/v1/me", { headers: { cookie, host: "evil.example.com" } });
    assert.equal(rebound.status, 401);
  });

  it("lets no other page use the cookie to change something", async () => {
    const cookie = await signIn();
    const own = new URL(service.addresses.http).origin;
    const body = JSON.stringify({ name: "x", scopes: ["organization:read"] });
    async function make(origin?: string): Promise<Answer> {
      return send("/api/v1/tokens", {
        method: "POST",
        headers: { cookie, "content-type": "application/json", ...(origin ? { origin } : {}) },
        body,
      });
    }

    assert.equal((await make("https://evil.example.com")).status, 401);
    assert.equal((await make("null")).status, 401);
    assert.equal((await make()).status, 401);
    assert.equal((await make(own)).status, 201);
  });

  it("ends when it is told to", async () => {
    const cookie = await signIn();
    const { origin } = new URL(service.addresses.http);
    const foreign = await send("/logout", { method: "POST", headers: { cookie } });
    assert.equal(foreign.status, 403);
    assert.equal((await send("/api/v1/me", { headers: { cookie } })).status, 200);

    const ended = await send("/logout", { method: "POST", headers: { cookie, origin } });

    assert.equal(ended.status, 303);
    assert.equal((await send("/api/v1/me", { headers: { cookie } })).status, 401);
  });

  it("opens the API to browsers of the origins that are named, and to no other", async () => {
    const named = await preflight(CONSOLE);
    const other = await preflight("https://evil.example.com");

    assert.equal(named.status, 204);
    assert.equal(named.headers["access-control-allow-origin"], CONSOLE);
    assert.equal(named.headers["access-control-allow-credentials"], undefined);
    assert.equal(other.headers["access-control-allow-origin"], undefined);
  });

  it("is answered with 429 and a time to come back, beyond a principal's limit", async () => {
    const cookie = await signIn();
    const statuses: number[] = [];
    let limited: Answer | undefined;
    while (!limited && statuses.length < 1_300) {
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => send("/api/v1/me", { headers: { cookie } })),
      );
      statuses.push(...answers.map(({ status }) => status));
      limited = answers.find(({ status }) => status === 429);
    }

    assert.ok(limited, "never limited");
    assert.ok(Number(limited.headers["retry-after"]) > 0);
    assert.equal(JSON.parse(limited.text).error.code, "rate_limited");
  });
});
