import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer as createTlsServer } from "node:https";
import { createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { setDefaultCACertificates, getCACertificates } from "node:tls";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { listening, LOCAL, refusedAs, serve } from "./egress-testing.ts";
import { createGuardedFetch } from "./index.ts";

describe("an answer", () => {
  test("is unpacked, with its status and headers", async () => {
    const packed = {
      gzip: gzipSync("text"),
      br: brotliCompressSync("text"),
      deflate: deflateSync("text"),
    };
    await using server = await serve((request, response) => {
      const coding = request.url?.slice(1) ?? "";
      const body = Object.entries(packed).find(([name]) => name === coding)?.[1];
      response.writeHead(body ? 201 : 204, {
        "x-trace": "1",
        ...(body ? { "content-encoding": coding } : {}),
      });
      response.end(body);
    });
    await using fetch = createGuardedFetch(LOCAL);

    for (const coding of Object.keys(packed)) {
      const answer = await fetch(`${server.url}/${coding}`);
      assert.deepEqual(
        [answer.status, await answer.text(), answer.headers.get("x-trace")],
        [201, "text", "1"],
      );
      assert.equal(answer.headers.get("content-encoding"), null);
    }
    assert.equal((await fetch(`${server.url}/none`)).status, 204);
  });

  test("is cut off at its limit, packed or not, said or not", async () => {
    const size = 64 * 1024 * 1024;
    const bomb = gzipSync(Buffer.alloc(size));
    await using server = await serve((request, response) => {
      if (request.url === "/bomb")
        response.writeHead(200, { "content-encoding": "gzip" }).end(bomb);
      else if (request.url === "/fits") response.end(Buffer.alloc(1_000_000));
      else response.end(Buffer.alloc(1_000_001));
    });
    await using fetch = createGuardedFetch({ ...LOCAL, responseBytesMax: 1_000_000 });
    const before = process.memoryUsage().arrayBuffers;

    assert.equal((await (await fetch(`${server.url}/fits`)).bytes()).length, 1_000_000);
    await assert.rejects(
      fetch(`${server.url}/long`),
      refusedAs("unavailable", /larger than 1000000/),
    );
    await assert.rejects(fetch(`${server.url}/bomb`), refusedAs("unavailable", /larger/));
    assert.ok(
      process.memoryUsage().arrayBuffers - before < size / 2,
      "the bomb was unpacked whole",
    );
  });

  test("that does not come in time is given up, its body too", async () => {
    await using server = await serve((request, response) => {
      if (request.url === "/body") response.writeHead(200).write("begun");
    });
    await using fetch = createGuardedFetch({ ...LOCAL, timeoutMs: 200 });

    await assert.rejects(fetch(`${server.url}/head`), refusedAs("timeout"));
    await assert.rejects(fetch(`${server.url}/body`), refusedAs("timeout"));
  });

  test("is not waited for once the caller has left", async () => {
    await using server = await serve(() => undefined);
    await using fetch = createGuardedFetch(LOCAL);
    const leaving = new AbortController();
    const asked = fetch(server.url, { signal: leaving.signal });

    leaving.abort();

    await assert.rejects(asked, { name: "AbortError" });
  });

  test("comes straight from its host, whatever proxy the environment names", async () => {
    await using proxy = await serve();
    await using server = await serve();
    for (const name of ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"]) {
      process.env[name] = proxy.url;
    }
    process.env["NODE_USE_ENV_PROXY"] = "1";
    await using fetch = createGuardedFetch(LOCAL);

    await fetch(server.url);

    assert.deepEqual([proxy.connections(), server.connections()], [0, 1]);
  });
});

test("a host that hangs up in the handshake, talks nonsense or is not there is unavailable", async () => {
  let count = 0;
  const server = createTcpServer((socket) => {
    count += 1;
    socket.on("error", () => undefined);
    socket.once("data", () => (count % 2 ? socket.resetAndDestroy() : socket.end("nonsense")));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const url = `https://127.0.0.1:${typeof address === "object" && address ? address.port : 0}/`;
  await using fetch = createGuardedFetch(LOCAL);

  await assert.rejects(fetch(url), refusedAs("unavailable"));
  await assert.rejects(fetch(url), refusedAs("unavailable"));
  server.close();
  await once(server, "close");
  await assert.rejects(fetch(url), refusedAs("unavailable"));

  assert.equal(count, 2);
});

test("a host is who its certificate says, or is not talked to", async (t: TestContext) => {
  const directory = mkdtempSync(join(tmpdir(), "egress-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const [key, cert] = [join(directory, "key.pem"), join(directory, "cert.pem")];
  try {
    execFileSync(
      "openssl",
      `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout ${key} -out ${cert}`.split(
        " ",
      ),
      { stdio: "ignore" },
    );
  } catch {
    t.skip("openssl is not here");
    return;
  }
  const tls = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) });
  await using server = await listening(tls, (_, response) => response.end("secure"), "https");
  await using before = createGuardedFetch(LOCAL);
  await assert.rejects(before(`https://localhost:${server.port}/`), refusedAs("unavailable"));

  setDefaultCACertificates([...getCACertificates("default"), readFileSync(cert, "utf8")]);
  await using fetch = createGuardedFetch(LOCAL);

  assert.equal(await (await fetch(`https://localhost:${server.port}/`)).text(), "secure");
  await assert.rejects(fetch(`https://127.0.0.1:${server.port}/`), refusedAs("unavailable"));
});
