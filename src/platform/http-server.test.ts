import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { fastify } from "fastify";
import { z } from "zod";
import { answerError, asHttpError } from "./http-errors.ts";
import { answerInTime } from "./http-signal.ts";
import { AppError, route } from "./index.ts";
import { errorOf, failing, item, post, reply, serve } from "./testing/http.ts";

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
    assert.ok(Array.isArray(details) && details.length === 2);
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
    const wrong = route({ ...item, handle: async () => ({ id: 7, limit: "secret" }) });
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

describe("a handler that hangs", () => {
  test("is aborted and answered with 504", async () => {
    const { promise: never } = Promise.withResolvers<never>();
    let signal: AbortSignal | undefined;
    const server = fastify();
    server.setErrorHandler((error, request, answer) =>
      answerError(asHttpError(error), request, answer),
    );
    server.get("/", (_request, slow) =>
      answerInTime(
        slow,
        async (signalOf) => {
          signal = signalOf();
          return never;
        },
        20,
      ),
    );

    const answer = await server.inject("/");

    assert.equal(answer.statusCode, 504);
    assert.equal(answer.json().error.code, "timeout");
    assert.equal(signal?.aborted, true);
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
