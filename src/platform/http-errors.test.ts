import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, test } from "node:test";
import { errorOf, item, reply, serve } from "./testing/http.ts";

interface BadRequest {
  readonly path?: string;
  readonly method?: string;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
}

describe("bad requests", () => {
  const cases: readonly [string, BadRequest, number, string][] = [
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

  test("leave no alarm in the log when the caller hangs up in the middle of a body", async () => {
    const { url, server, lines } = await serve({ routes: [reply] });
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    const head = "POST /reply HTTP/1.1\r\nhost: x\r\nauthorization: Bearer alice\r\n";
    socket.write(`${head}content-type: application/json\r\ncontent-length: 99\r\n\r\n{"con`);
    await once(socket, "ready");
    await fetch(url);

    socket.destroy();
    await server.stop();

    assert.ok(
      lines.every((line) => JSON.parse(line).level === "info"),
      lines.join(""),
    );
  });
});

test("a failure to find out who calls is our own and in the log, whatever of the body was read", async () => {
  const { url, lines } = await serve({
    authenticate: async () => {
      throw new Error("the database is away");
    },
    routes: [reply],
  });

  const answer = await fetch(`${url}/reply`, {
    method: "POST",
    body: JSON.stringify({ conversation_id: "c", message: "x".repeat(500_000) }),
    headers: { "content-type": "application/json" },
  });

  assert.equal(answer.status, 500);
  assert.ok(lines.some((line) => line.includes("the database is away")));
});
