import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, test, type TestContext } from "node:test";
import { setDefaultCACertificates, getCACertificates } from "node:tls";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import type { ResolveName } from "./egress-connect.ts";
import { AppError, createGuardedFetch, type GuardedFetchOptions } from "./index.ts";

interface Local extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly connections: () => number;
  readonly requests: readonly IncomingMessage[];
}

async function serve(listener: RequestListener = (_, response) => response.end("hello")) {
  return listening(createServer(), listener, "http");
}

async function listening(
  server: Server,
  listener: RequestListener,
  scheme: string,
): Promise<Local> {
  let connections = 0;
  const requests: IncomingMessage[] = [];
  server.on("connection", () => (connections += 1));
  server.on("request", (request, response) => {
    requests.push(request);
    listener(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return {
    url: `${scheme}://127.0.0.1:${port}`,
    port,
    connections: () => connections,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function resolvesTo(...addresses: readonly string[]): ResolveName {
  return async () =>
    addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
}

const LOCAL: GuardedFetchOptions = { isLoopbackAllowed: true };

function refusedAs(code: string, message = /./) {
  return (error: unknown) =>
    error instanceof AppError && error.code === code && message.test(error.message);
}

/** Every form in which a private address is written, on the port of a server that counts. */
const HOSTS = [
  "127.0.0.1",
  "2130706433",
  "0x7f000001",
  "0x7f.1",
  "0177.0.0.1",
  "017700000001",
  "127.1",
  "127.0.1",
  "①②⑦.0.0.1",
  "127。0。0。1",
  "%31%32%37.0.0.1",
  "127.0.0.1.",
  "0.0.0.0",
  "0",
  "127.255.255.254",
  "10.0.0.1",
  "172.16.0.1",
  "192.168.1.1",
  "100.64.0.1",
  "169.254.169.254",
  "2852039166",
  "0xa9fea9fe",
  "169.254.170.2",
  "168.63.129.16",
  "192.0.0.192",
  "192.0.2.1",
  "198.18.0.1",
  "224.0.0.1",
  "240.0.0.1",
  "255.255.255.255",
  "[::1]",
  "[::]",
  "[0:0:0:0:0:0:0:1]",
  "[::ffff:127.0.0.1]",
  "[::ffff:7f00:1]",
  "[::127.0.0.1]",
  "[::ffff:169.254.169.254]",
  "[64:ff9b::7f00:1]",
  "[64:ff9b:1::a00:1]",
  "[2002:7f00:1::]",
  "[2001::1]",
  "[fd00:ec2::254]",
  "[fc00::1]",
  "[fe80::1]",
  "[ff02::1]",
  "[2001:db8::1]",
  "localhost",
  "LOCALHOST",
  "localhost.",
  "a.localhost",
  "ⓛocalhost",
  "metadata.google.internal",
  "metadata.google.internal.",
  "api.default.svc",
  "api.default.svc.cluster.local",
  "vault.internal",
  "printer.local",
];

describe("an address that is refused before anything is sent", () => {
  test("is any private one, in any form", async () => {
    await using server = await serve();
    await using fetch = createGuardedFetch({
      ports: [443, server.port],
      resolve: () => Promise.reject(new Error("a refused name is not resolved")),
    });

    for (const host of HOSTS) {
      const url = `https://${host}:${server.port}/`;
      await assert.rejects(fetch(url), refusedAs("invalid_request"), host);
    }
    assert.equal(server.connections(), 0);
  });

  test("has another scheme, another port, a user name or a fragment", async () => {
    await using fetch = createGuardedFetch();

    for (const [url, reason] of [
      ["http://example.com/", /https/],
      ["ftp://example.com/", /https/],
      ["file:///etc/passwd", /https/],
      ["data:text/plain,x", /https/],
      ["gopher://example.com/", /https/],
      ["https://example.com:22/", /port/],
      ["https://example.com:8080/", /port/],
      ["https://planted:planted@example.com/", /user name/],
      ["https://planted@example.com/", /user name/],
      ["https://example.com/#planted", /fragment/],
      ["//example.com", /not an address/],
      ["https://", /not an address/],
      ["https://256.1.1.1/", /not an address/],
      ["https://exa mple.com/", /not an address/],
    ] as const) {
      await assert.rejects(fetch(url), (error) => {
        assert.ok(refusedAs("invalid_request", reason)(error), `${url}: ${String(error)}`);
        assert.ok(!String(error).includes("planted"));
        return true;
      });
    }
  });

  test("is not on the list of the organization", async () => {
    await using fetch = createGuardedFetch({
      hostsAllowed: ["api.example.com", ".example.org"],
      resolve: resolvesTo("10.0.0.1"),
    });

    for (const host of [
      "example.com",
      "evil-api.example.com",
      "api.example.com.evil.net",
      "example.org",
    ]) {
      await assert.rejects(fetch(`https://${host}/`), refusedAs("invalid_request", /list/), host);
    }
    for (const host of ["api.example.com", "a.example.org"]) {
      await assert.rejects(
        fetch(`https://${host}/`),
        refusedAs("invalid_request", /private/),
        host,
      );
    }
  });

  test("stays http for this machine alone where development allows it", async () => {
    await using server = await serve();
    await using fetch = createGuardedFetch(LOCAL);

    const answer = await fetch(`http://localhost:${server.port}/`);

    assert.equal(await answer.text(), "hello");
    await assert.rejects(fetch("http://example.com/"), refusedAs("invalid_request"));
    await assert.rejects(fetch("http://10.0.0.1/"), refusedAs("invalid_request"));
    await assert.rejects(fetch("https://169.254.169.254/"), refusedAs("invalid_request"));
  });
});

describe("a name", () => {
  test("is refused when any of its addresses is private", async () => {
    await using server = await serve();

    for (const addresses of [
      ["127.0.0.1"],
      ["93.184.216.34", "127.0.0.1"],
      ["::1"],
      ["::ffff:10.0.0.1"],
      ["168.63.129.16"],
      ["169.254.169.254"],
      ["fe80::1%eth0"],
    ]) {
      await using fetch = createGuardedFetch({
        ports: [server.port],
        resolve: resolvesTo(...addresses),
      });
      await assert.rejects(
        fetch(`https://evil.example.com:${server.port}/`),
        refusedAs("invalid_request", /private network/),
        addresses.join(),
      );
    }
    assert.equal(server.connections(), 0);
  });

  test("does not tell where it leads", async () => {
    await using fetch = createGuardedFetch({ resolve: resolvesTo("10.1.2.3") });

    await assert.rejects(
      fetch("https://evil.example.com/"),
      (error) => !String(error).includes("10.1.2.3"),
    );
  });

  test("that changes its mind after the check gets a connection and no byte", async () => {
    let received = 0;
    await using server = await serve(() => (received += 1));
    let looks = 0;
    const turncoat = {
      family: 4,
      get address() {
        looks += 1;
        return looks === 1 ? "93.184.216.34" : "127.0.0.1";
      },
    };
    await using fetch = createGuardedFetch({
      ports: [server.port],
      resolve: async () => [turncoat],
    });

    await assert.rejects(
      fetch(`https://evil.example.com:${server.port}/`),
      refusedAs("invalid_request"),
    );

    assert.ok(looks > 1, "the address was not looked at again");
    assert.equal(received, 0);
  });

  test("is refused inside the networks that are ours", async () => {
    await using fetch = createGuardedFetch({
      networksDenied: ["93.184.216.0/24"],
      resolve: resolvesTo("93.184.216.34"),
    });

    await assert.rejects(fetch("https://example.com/"), refusedAs("invalid_request", /private/));
    await assert.rejects(fetch("https://93.184.216.34/"), refusedAs("invalid_request", /private/));
  });
});

describe("a redirect", () => {
  test("is followed three times and judged each time", async () => {
    await using server = await serve((request, response) => {
      const left = Number(request.url?.slice(1));
      if (left === 0) response.end("arrived");
      else response.writeHead(302, { location: `/${left - 1}#part` }).end();
    });
    await using fetch = createGuardedFetch(LOCAL);

    assert.equal(await (await fetch(`${server.url}/3`)).text(), "arrived");
    await assert.rejects(fetch(`${server.url}/4`), refusedAs("unavailable", /redirect/));
  });

  test("leads nowhere that a first address could not lead", async () => {
    const targets = [
      "http://169.254.169.254/latest/meta-data/",
      "https://10.0.0.1/",
      "http://example.com/",
      "https://metadata.google.internal/",
      "https://user:pass@example.com/",
      "file:///etc/passwd",
      "//[::ffff:a9fe:a9fe]/",
      "https://evil.example.com/",
    ];
    await using server = await serve((request, response) => {
      response.writeHead(307, { location: targets[Number(request.url?.slice(1))] ?? "" }).end();
    });
    await using fetch = createGuardedFetch({ ...LOCAL, resolve: resolvesTo("10.0.0.1") });

    for (const [index, target] of targets.entries()) {
      await assert.rejects(fetch(`${server.url}/${index}`), refusedAs("invalid_request"), target);
    }
    assert.equal(server.requests.length, targets.length);
  });

  test("to another host takes no credentials along, in whatever header they are", async () => {
    await using far = await serve();
    await using near = await serve((request, response) => {
      const to = request.url === "/same" ? `${near.url}/end` : `http://localhost:${far.port}/end`;
      if (request.url === "/end") response.end();
      else response.writeHead(302, { location: to }).end();
    });
    await using fetch = createGuardedFetch(LOCAL);
    const headers = {
      Authorization: "Bearer planted",
      Cookie: "planted",
      "DD-API-KEY": "planted",
      accept: "application/json",
    };

    await fetch(`${near.url}/far`, { headers });
    await fetch(`${near.url}/same`, { headers });

    const [seenFar] = far.requests;
    assert.ok(!JSON.stringify(seenFar?.rawHeaders).includes("planted"));
    assert.equal(seenFar?.headers.accept, "application/json");
    const seenNear = near.requests.at(-1);
    assert.equal(seenNear?.headers.authorization, "Bearer planted");
    assert.equal(seenNear?.headers["dd-api-key"], "planted");
  });

  test("carries a body again where it says so, to the same host only", async () => {
    const bodies: string[] = [];
    await using far = await serve();
    await using near = await serve((request, response) => {
      const to: Record<string, [number, string]> = {
        "/307": [307, "/end"],
        "/303": [303, "/end"],
        "/far": [308, `http://localhost:${far.port}/`],
      };
      const [status, location] = to[request.url ?? ""] ?? [200, ""];
      void text(request).then((body) => {
        bodies.push(`${request.method} ${request.url} ${body}`);
        response.writeHead(status, { location }).end();
        return undefined;
      });
    });
    await using fetch = createGuardedFetch(LOCAL);
    const request = { method: "POST", body: "data", headers: { "content-type": "text/plain" } };

    await fetch(`${near.url}/307`, request);
    await fetch(`${near.url}/303`, request);
    await assert.rejects(
      fetch(`${near.url}/far`, request),
      refusedAs("unavailable", /another host/),
    );

    assert.deepEqual(bodies, [
      "POST /307 data",
      "POST /end data",
      "POST /303 data",
      "GET /end ",
      "POST /far data",
    ]);
    assert.equal(far.requests.length, 0);
  });
});

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
