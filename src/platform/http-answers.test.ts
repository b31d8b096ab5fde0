import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AppError } from "./index.ts";
import { errorOf, item, post, reply, serve } from "./testing/http.ts";

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

    const document = JSON.parse(await (await fetch(`${url}/openapi.json`)).text());

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
