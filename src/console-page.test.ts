import assert from "node:assert/strict";
import { test } from "node:test";
import { consoleRoute } from "./console-page.ts";

test("tells a person that the service runs, and lets the page load nothing else", async () => {
  const { handle, path } = await consoleRoute();
  const answer = await handle({
    path: "/",
    params: {},
    headers: {},
    body: new Uint8Array(),
    query: new URLSearchParams(),
    remoteAddress: "127.0.0.1",
    receivedAt: new Date(),
    signal: AbortSignal.timeout(1000),
  });

  assert.equal(path, "/");
  assert.match(String(answer.body), /InfraGPT is running[\s\S]*\/openapi\.json[\s\S]*\/readyz/);
  assert.match(
    answer.headers?.["content-security-policy"] ?? "",
    /default-src 'none'; style-src 'sha256-/,
  );
});
