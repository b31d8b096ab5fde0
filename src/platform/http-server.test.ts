import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, describe, test } from "node:test";
import { z } from "zod";
import {
  AppError,
  createHttpServer,
  createIds,
  createLog,
  createScrubber,
  type HttpServer,
  type HttpServerOptions,
  type Principal,
  route,
  systemClock,
} from "./index.ts";

const alice: Principal = {
  kind: "user",
  organizationId: "org-1",
  id: "alice",
  permissions: new Set(["audit:read"]),
};

const servers: HttpServer[] = [];
after(async () => {
  for (const server of servers) await server.stop();
});

async function serve(
  options: Partial<HttpServerOptions> = {},
): Promise<{ url: string; lines: string[]; server: HttpServer }> {
  const lines: string[] = [];
  const log = createLog({
    level: "debug",
    format: "json",
    scrubber: createScrubber(),
    destination: { write: (line) => lines.push(line) },
  });
  const server = createHttpServer({
    log,
    host: "127.0.0.1",
    port: 0,
    isHttpLogOn: true,
    mode: "local",
    ids: createIds(),
    clock: systemClock,
    authenticate: async ({ authorization }) =>
      authorization === "Bearer alice" ? alice : undefined,
    routes: [],
    rawRoutes: [],
    ...options,
  });
  servers.push(server);
  const { url } = await server.start();
  return { url, lines, server };
}

const reply = route({
  method: "POST",
  path: "/reply",
  summary: "Posts a reply into a conversation.",
  tags: ["conversations"],
  access: "principal",
  body: z.strictObject({ conversation_id: z.string().min(1), message: z.string().max(100) }),
  answer: z.object({ said: z.string(), by: z.string() }),
  async handle({ body, principal }) {
    return { said: body.message, by: principal.id };
  },
});

const item = route({
  method: "GET",
  path: "/items/:id",
  summary: "One item.",
  access: "public",
  params: z.object({ id: z.string() }),
  query: z.object({ limit: z.coerce.number().int().max(10).default(5) }),
  answer: z.object({ id: z.string(), limit: z.number() }),
  async handle({ params, query }) {
    return { ...params, ...query, internal_note: "never leaves" };
  },
});

function failing(thrown: unknown): ReturnType<typeof route> {
  return route({
    method: "GET",
    path: "/fails",
    summary: "Fails.",
    access: "public",
    answer: z.object({}),
    async handle() {
      throw thrown;
    },
  });
}

async function post(
  url: string,
  body: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(url, {
    method: "POST",
    body,
    headers: { "content-type": "application/json", authorization: "Bearer alice", ...headers },
  });
}

interface ErrorBody {
  readonly error: { code: string; message: string; request_id: string; details?: unknown };
}

async function errorOf(response: Response): Promise<ErrorBody["error"]> {
  const { error } = (await response.json()) as ErrorBody;
  assert.equal(error.request_id, response.headers.get("x-request-id"));
  return error;
}

describe("routes", () => {
  test("answer JSON with typed input, with or without a trailing slash", async () => {
    const { url } = await serve({ routes: [reply, item] });

    const said = await post(`${url}/reply/`, '{"conversation_id":"c1","message":"hello"}');
    const found = await fetch(`${url}/items/7?limit=9`);

    assert.deepEqual(await said.json(), { said: "hello", by: "alice" });
    assert.deepEqual(await found.json(), { id: "7", limit: 9 });
    assert.match(found.headers.get("content-type") ?? "", /application\/json/);
  });

  test("ask who calls before anything else, also before reading the body", async () => {
    const { url } = await serve({ routes: [reply] });

    const answer = await post(`${url}/reply`, "not json", { authorization: "Bearer mallory" });

    assert.equal(answer.status, 401);
    assert.equal((await errorOf(answer)).code, "unauthenticated");
  });

  test("name the permission that is missing", async () => {
    const denied = route({
      ...item,
      access: { permission: "token:manage" },
      handle: async () => ({ id: "", limit: 0 }),
    });
    const granted = route({
      ...item,
      path: "/ok/:id",
      access: { permission: "audit:read" },
      handle: async () => ({ id: "", limit: 0 }),
    });
    const { url } = await serve({ routes: [denied, granted] });
    const headers = { authorization: "Bearer alice" };

    const answer = await fetch(`${url}/items/1`, { headers });
    const allowed = await fetch(`${url}/ok/1`, { headers });

    assert.equal(answer.status, 403);
    assert.match((await errorOf(answer)).message, /token:manage/);
    assert.equal(allowed.status, 200);
  });

  test("say which field of the input is wrong, and no more", async () => {
    const { url } = await serve({ routes: [reply, item] });

    const body = await post(`${url}/reply`, '{"conversation_id":"","message":"m","extra":1}');
    const query = await fetch(`${url}/items/1?limit=11`);

    assert.equal(body.status, 400);
    const { details, message } = await errorOf(body);
    assert.match(message, /conversation_id/);
    assert.equal((details as unknown[]).length, 2);
    assert.equal(query.status, 400);
    assert.match((await errorOf(query)).message, /query.*limit/);
  });

  test("turn an AppError into its status, with details and without its cause", async () => {
    const { url, lines } = await serve({
      routes: [
        failing(
          new AppError("conflict", "It is there already.", {
            details: { id: 7 },
            cause: new Error("duplicate key value"),
          }),
        ),
      ],
    });

    const answer = await fetch(`${url}/fails`);
    const error = await errorOf(answer);

    assert.equal(answer.status, 409);
    assert.deepEqual(
      [error.code, error.message, error.details],
      ["conflict", "It is there already.", { id: 7 }],
    );
    assert.ok(!lines.some((line) => line.includes("duplicate key")));
  });

  test("hide what went wrong on our side from the caller and show it in the log", async () => {
    const thrown = Object.assign(new Error('relation "users" does not exist'), { code: "42P01" });
    const { url, lines } = await serve({ routes: [failing(thrown)] });

    const answer = await fetch(`${url}/fails`);
    const text = await answer.text();

    assert.equal(answer.status, 500);
    assert.doesNotMatch(text, /relation|42P01|\.ts|stack/);
    const logged = JSON.parse(lines.find((line) => line.includes("request failed")) ?? "{}");
    assert.match(logged.err.stack, /relation "users"/);
    assert.equal(logged.requestId, answer.headers.get("x-request-id"));
  });

  test("never send an answer that its schema does not describe", async () => {
    const wrong = route({ ...item, handle: async () => ({ id: 7, limit: "secret" }) as never });
    const { url } = await serve({ routes: [wrong] });

    const answer = await fetch(`${url}/items/1`);

    assert.equal(answer.status, 500);
    assert.doesNotMatch(await answer.text(), /secret/);
  });

  test("abort the signal when the caller leaves, and not before", async () => {
    const { promise: entered, resolve: enter } = Promise.withResolvers<AbortSignal>();
    const { promise: left, resolve: leave } = Promise.withResolvers<boolean>();
    const slow = route({
      ...reply,
      body: z.object({}),
      async handle({ signal }) {
        enter(signal);
        await once(signal, "abort");
        leave(true);
        return { said: "", by: "" };
      },
    });
    const { url } = await serve({ routes: [slow] });
    const caller = new AbortController();
    const answer = fetch(`${url}/reply`, {
      method: "POST",
      body: "{}",
      headers: { "content-type": "application/json", authorization: "Bearer alice" },
      signal: caller.signal,
    });
    const signal = await entered;
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(signal.aborted, false);

    caller.abort();

    await assert.rejects(answer);
    assert.equal(await left, true);
  });
});

describe("bad requests", () => {
  const cases: readonly [string, RequestInit & { path?: string }, number, string][] = [
    ["an unknown path", { path: "/nothing" }, 404, "not_found"],
    [
      "a known path with another method",
      { path: "/reply", method: "DELETE" },
      405,
      "method_not_allowed",
    ],
    ["broken JSON", { body: "{" }, 400, "invalid_request"],
    ["an empty body", { body: "" }, 400, "invalid_request"],
    [
      "another content type",
      { body: "<a/>", headers: { "content-type": "application/xml" } },
      415,
      "unsupported_media_type",
    ],
    [
      "no content type",
      { body: new Uint8Array([123]), headers: {} },
      415,
      "unsupported_media_type",
    ],
    [
      "a body that is too large",
      { body: JSON.stringify({ message: "x".repeat(2_000_000) }) },
      413,
      "payload_too_large",
    ],
    [
      "a poisoned prototype",
      { body: '{"conversation_id":"c","message":"m","__proto__":{"admin":true}}' },
      400,
      "invalid_request",
    ],
    [
      "a poisoned constructor",
      { body: '{"conversation_id":"c","message":"m","constructor":{"prototype":{"a":1}}}' },
      400,
      "invalid_request",
    ],
    ["a path that is not a URL", { path: "/items/%E0%A4%A" }, 400, "invalid_request"],
  ];
  for (const [name, { path = "/reply", ...init }, status, code] of cases) {
    test(`are answered in one shape: ${name}`, async () => {
      const { url } = await serve({ routes: [reply, item] });
      const isPost = path === "/reply" && !init.method;

      const answer = await fetch(url + path, {
        ...(isPost ? { method: "POST" } : {}),
        ...init,
        headers: {
          authorization: "Bearer alice",
          ...(isPost && !init.headers ? { "content-type": "application/json" } : {}),
          ...init.headers,
        },
      });

      assert.equal(answer.status, status);
      assert.equal((await errorOf(answer)).code, code);
      if (status === 405) assert.equal(answer.headers.get("allow"), "POST");
    });
  }

  const raw: readonly [string, string, RegExp][] = [
    [
      "headers that are too large",
      `GET / HTTP/1.1\r\nhost: x\r\nx-a: ${"a".repeat(20_000)}\r\n\r\n`,
      /^HTTP\/1\.1 431 [^]*"headers_too_large"/,
    ],
    ["what is not HTTP", "HELO mail\r\n\r\n", /^HTTP\/1\.1 400 [^]*"invalid_request"/],
    [
      "two lengths of one body",
      "POST /reply HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
      /^HTTP\/1\.1 400 [^]*"invalid_request"/,
    ],
  ];
  for (const [name, bytes, expected] of raw) {
    test(`are answered in one shape even where they never become requests: ${name}`, async () => {
      const { url } = await serve();
      const socket = connect(Number(new URL(url).port), "127.0.0.1");
      let answered = "";
      socket.on("data", (chunk: Buffer) => (answered += chunk.toString()));

      socket.write(bytes);
      await once(socket, "close");

      assert.match(answered, expected);
      assert.match(answered, /"request_id":"[\w-]{36}"/);
    });
  }
});

describe("every answer", () => {
  test("keeps a sane request id and replaces any other", async () => {
    const { url } = await serve({ routes: [item] });

    const kept = await fetch(`${url}/items/1`, { headers: { "x-request-id": "req-1.a_B" } });
    const replaced = await fetch(`${url}/items/1`, { headers: { "x-request-id": "a b\tc" } });
    const long = await fetch(`${url}/items/1`, { headers: { "x-request-id": "a".repeat(65) } });

    assert.equal(kept.headers.get("x-request-id"), "req-1.a_B");
    assert.match(replaced.headers.get("x-request-id") ?? "", /^[0-9a-f-]{36}$/);
    assert.match(long.headers.get("x-request-id") ?? "", /^[0-9a-f-]{36}$/);
  });

  test("carries the security headers, errors included", async () => {
    const { url } = await serve({ mode: "production" });

    const answer = await fetch(`${url}/nothing`);

    assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
    assert.equal(answer.headers.get("cache-control"), "no-store");
    assert.match(answer.headers.get("content-security-policy") ?? "", /default-src 'none'/);
    assert.match(answer.headers.get("strict-transport-security") ?? "", /max-age/);
    assert.equal(answer.headers.get("server"), null);
  });

  test("leaves one log line without query, body or headers", async () => {
    const { url, lines } = await serve({ routes: [reply] });

    await post(
      `${url}/reply?code=planted-query`,
      '{"conversation_id":"c","message":"planted-body"}',
      { "x-any": "planted-header" },
    );

    const [line, ...others] = lines.map((one) => JSON.parse(one));
    assert.deepEqual(others, []);
    assert.equal(line.msg, "request");
    assert.deepEqual([line.method, line.path, line.status], ["POST", "/reply", 200]);
    assert.ok(line.sizeBytes > 10 && line.durationMs >= 0);
    assert.doesNotMatch(lines.join(""), /planted/);
  });

  test("leaves no line when the request log is off", async () => {
    const { url, lines } = await serve({ routes: [item], isHttpLogOn: false });

    await fetch(`${url}/items/1`);

    assert.deepEqual(lines, []);
  });
});

describe("raw routes", () => {
  test("see the bytes as they came, whatever they claim to be", async () => {
    const seen: Uint8Array[] = [];
    const { url } = await serve({
      routes: [reply],
      rawRoutes: [
        {
          method: "POST",
          path: "/webhooks/:connector",
          bodyBytesMax: 100,
          async handle({ body, headers, params, query, path }) {
            seen.push(body);
            return {
              status: 202,
              contentType: "text/x-facts",
              headers: { "x-h": "1" },
              body: [headers["x-signature"], params["connector"], query.get("q"), path].join("|"),
            };
          },
        },
      ],
    });
    const bytes = new Uint8Array([0x7b, 0x00, 0xff, 0xfe, 0x0d, 0x0a]);

    const answer = await fetch(`${url}/webhooks/github?q=1`, {
      method: "POST",
      body: bytes,
      headers: { "content-type": "application/json", "x-signature": "s" },
    });
    const untyped = await fetch(`${url}/webhooks/github/`, {
      method: "POST",
      body: bytes,
      headers: { "content-type": "" },
    });
    const none = await fetch(`${url}/webhooks/github`, { method: "POST" });

    assert.equal(answer.status, 202);
    assert.equal(await answer.text(), "s|github|1|/webhooks/github");
    assert.equal(answer.headers.get("content-type"), "text/x-facts");
    assert.equal(answer.headers.get("x-h"), "1");
    assert.equal(untyped.status, 202);
    assert.equal(none.status, 202);
    assert.deepEqual(
      seen.map((body) => [...body]),
      [[...bytes], [...bytes], []],
    );
  });

  test("have their own limit, and errors of the one shape", async () => {
    const { url } = await serve({
      rawRoutes: [
        {
          method: "POST",
          path: "/hook",
          bodyBytesMax: 10,
          handle: async () => Promise.reject(new AppError("unavailable", "Later.")),
        },
      ],
    });

    const large = await fetch(`${url}/hook`, { method: "POST", body: "x".repeat(11) });
    const failed = await fetch(`${url}/hook`, { method: "POST", body: "x" });
    const got = await fetch(`${url}/hook`);

    assert.equal(large.status, 413);
    assert.equal(failed.status, 503);
    assert.equal((await errorOf(failed)).message, "Later.");
    assert.equal(got.status, 405);
  });

  test("can answer a page with its own policy", async () => {
    const { url } = await serve({
      rawRoutes: [
        {
          method: "GET",
          path: "/",
          bodyBytesMax: 0,
          handle: async () => ({
            status: 200,
            contentType: "text/html; charset=utf-8",
            headers: { "content-security-policy": "default-src 'self'" },
            body: "<h1>InfraGPT</h1>",
          }),
        },
      ],
    });

    const answer = await fetch(url);
    const head = await fetch(url, { method: "HEAD" });

    assert.equal(await answer.text(), "<h1>InfraGPT</h1>");
    assert.match(answer.headers.get("content-type") ?? "", /text\/html/);
    assert.equal(answer.headers.get("content-security-policy"), "default-src 'self'");
    assert.equal(head.status, 200);
  });
});

describe("the OpenAPI document", () => {
  test("describes routes, security and errors from their schemas", async () => {
    const { url } = await serve({
      routes: [reply, item],
      rawRoutes: [
        { method: "POST", path: "/hidden", bodyBytesMax: 1, handle: async () => ({ status: 200 }) },
      ],
    });

    const document = (await (await fetch(`${url}/openapi.json`)).json()) as any;

    assert.match(document.openapi, /^3\.1/);
    assert.deepEqual(Object.keys(document.paths).toSorted(), ["/items/{id}", "/reply"]);
    assert.deepEqual(Object.keys(document.paths["/reply"]), ["post"]);
    const { post: posted } = document.paths["/reply"];
    assert.deepEqual(posted.security, [{ bearer: [] }]);
    assert.equal(
      posted.requestBody.content["application/json"].schema.properties.message.maxLength,
      100,
    );
    assert.ok(posted.responses["200"].content["application/json"].schema.properties.said);
    assert.ok(document.components.securitySchemes.bearer);
    const { schema } = posted.responses.default.content["application/json"];
    assert.equal(schema.$ref, "#/components/schemas/Error");
    assert.ok(document.components.schemas.Error.properties.error);
    assert.equal(document.paths["/items/{id}"].get.security, undefined);
    assert.deepEqual(
      document.paths["/items/{id}"].get.parameters
        .map((one: { name: string }) => one.name)
        .toSorted(),
      ["id", "limit"],
    );
  });
});

describe("stop", () => {
  test("finishes running requests, takes no new ones and may be called twice", async () => {
    const { promise: entered, resolve: enter } = Promise.withResolvers<void>();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const slow = route({
      ...item,
      async handle() {
        enter();
        await released;
        return { id: "1", limit: 1 };
      },
    });
    const { url, server } = await serve({ routes: [slow] });
    const running = fetch(`${url}/items/1`);
    await entered;

    const stopped = server.stop();
    release();

    assert.equal((await running).status, 200);
    await stopped;
    await server.stop();
    await assert.rejects(fetch(`${url}/items/1`));
  });
});
