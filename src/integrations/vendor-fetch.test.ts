import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { ConnectorError, Secret, type VendorFetch } from "@infragpt/connector-kit";
import { createGitHubConnector } from "./connectors/github/index.ts";
import { createVendorFetch } from "./vendor-fetch.ts";

/** Addresses that no answer of a vendor may lead us to. */
const FORBIDDEN = [
  "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
  "https://169.254.169.254/",
  "https://metadata.google.internal/computeMetadata/v1/",
  "https://[fd00:ec2::254]/",
  "https://10.0.0.1/",
  "https://192.168.1.1/",
  "https://127.0.0.1/",
  "https://[::1]/",
  "https://localhost/",
  "http://logs.example.com/",
  "https://user:pass@logs.example.com/",
  "https://logs.example.com:22/",
  "ftp://logs.example.com/",
];

describe("The fetch that connectors are given", () => {
  it("refuses private and metadata addresses in the words of the kit", async () => {
    await using guarded = createVendorFetch({ isLoopbackAllowed: false });

    for (const address of FORBIDDEN) {
      const { kind } = await refusalOf(get(guarded, address));
      assert.equal(kind, "rejected", address);
    }
  });

  it("refuses an answer that redirects to one", async () => {
    await using far = await serve((request, response) => {
      const location = FORBIDDEN[Number(request.url?.slice(1))] ?? "";
      response.writeHead(302, { location }).end();
    });
    // The first address is this machine's, as in development; it leads nowhere else.
    await using guarded = createVendorFetch({ isLoopbackAllowed: true });

    for (const [index, address] of FORBIDDEN.entries()) {
      if (/127\.0\.0\.1|localhost|::1/.test(address)) continue;
      const { kind } = await refusalOf(get(guarded, `${far.url}/${index}`));
      assert.equal(kind, "rejected", address);
    }
  });

  it("hands over what it may fetch as it is, whatever its status", async () => {
    await using far = await serve((_, response) => response.writeHead(404).end("gone"));
    await using guarded = createVendorFetch({ isLoopbackAllowed: true });

    const answer = await get(guarded, far.url);

    assert.equal(answer.status, 404);
    assert.equal(await answer.text(), "gone");
  });

  it("says that nothing can be reached, and passes on that it was told to end", async () => {
    const gone = await serve(() => undefined);
    await gone[Symbol.asyncDispose]();
    await using silent = await serve(() => aborter.abort());
    const aborter = new AbortController();
    await using guarded = createVendorFetch({ isLoopbackAllowed: true });

    const { kind } = await refusalOf(get(guarded, gone.url));

    assert.equal(kind, "unavailable");
    await assert.rejects(get(guarded, silent.url, aborter.signal), { name: "AbortError" });
  });
});

describe("A log that GitHub says is somewhere else", () => {
  for (const address of FORBIDDEN) {
    it(`is not fetched from ${address}`, async () => {
      await using github = await serve(gitHubWithLogsAt(address));
      await using guardedFetch = createVendorFetch({ isLoopbackAllowed: false });
      const run = readLog(github.url, guardedFetch);

      const { kind, message } = await refusalOf(run);

      assert.equal(kind, "rejected");
      assert.ok(!message.includes(address));
    });
  }
});

/** As much of GitHub as reading a log takes. */
function gitHubWithLogsAt(location: string): RequestListener {
  return ({ method }, response) => {
    response.setHeader("content-type", "application/json");
    if (method === "GET") return response.writeHead(302, { location }).end();
    const expires_at = new Date(Date.now() + 3_600_000).toISOString();
    return response.writeHead(201).end(JSON.stringify({ token: "ghs_1", expires_at }));
  };
}

async function readLog(url: string, guardedFetch: VendorFetch): Promise<unknown> {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  const key = new Secret(privateKey.export({ type: "pkcs1", format: "pem" }));
  const config = { appId: "1", privateKey: key, webhookSecrets: [], callTimeoutMs: 5_000 };
  const connector = createGitHubConnector(
    { ...config, apiUrl: url, webUrl: url },
    { guardedFetch },
  );
  const operation = connector.operations?.find(({ name }) => name === "get_workflow_job_log");
  const profile = { accountId: "7", accountName: "acme" };
  return operation!.run(
    { integrationId: "1", accountId: "7", credentials: {}, profile },
    operation!.input.parse({ repository: "acme/payments", job_id: 1 }),
    { signal: AbortSignal.timeout(10_000) },
  );
}

function get(
  guarded: VendorFetch,
  address: string,
  signal = AbortSignal.timeout(10_000),
): Promise<Response> {
  const request = { method: "GET", headers: {}, redirect: "manual", signal } as const;
  return guarded(new URL(address), request);
}

async function refusalOf(call: Promise<unknown>): Promise<ConnectorError> {
  const outcome = await call.catch((error: unknown) => error);
  assert.ok(
    outcome instanceof ConnectorError,
    `not refused by a ConnectorError: ${String(outcome)}`,
  );
  return outcome;
}

async function serve(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
