import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { describe, test } from "node:test";
import { LOCAL, refusedAs, resolvesTo, serve } from "./egress-testing.ts";
import { createGuardedFetch } from "./index.ts";

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
