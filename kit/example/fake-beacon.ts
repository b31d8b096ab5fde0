// Beacon's side of the wire, for the contract: a small server that can be told to go wrong.
import { createHash, createHmac, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { Secret } from "@infragpt/connector-kit";
import type { ContractVendor, VendorFault } from "@infragpt/connector-kit/contract";
import { createBeaconConnector } from "./beacon.ts";

const CLIENT = { client_id: "beacon-client", client_secret: "client-secret-4711-beacon" };
const SIGNING_SECRET = "signing-secret-0815-beacon";
const ACCOUNT = { id: "acc_acme", name: "Acme" };
const SERVICES = Array.from({ length: 250 }, (_, index) => `svc_${index}`);
const PAGE_SIZE = 100;

interface Asked {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly token: string;
  readonly body: Readonly<Record<string, string>>;
}

interface Answered {
  readonly status: number;
  readonly body: object;
}

const UNAUTHORIZED: Answered = { status: 401, body: { error: "invalid_token" } };

export async function startFakeBeacon(): Promise<ContractVendor> {
  /** Code to the challenge and address that it is bound to. */
  const codes = new Map<string, { readonly challenge: string; readonly redirectUri: string }>();
  const accessTokens = new Set<string>();
  const refreshTokens = new Set<string>();
  const issued: string[] = [];
  let fault: VendorFault | undefined;
  let changes = 0;

  function issue(): Answered {
    const access_token = `beacon-at-${randomBytes(12).toString("hex")}`;
    const refresh_token = `beacon-rt-${randomBytes(12).toString("hex")}`;
    accessTokens.add(access_token);
    refreshTokens.add(refresh_token);
    issued.push(access_token, refresh_token);
    return { status: 200, body: { access_token, refresh_token, expires_in: 3_600 } };
  }

  function answerTokens({ body }: Asked): Answered {
    if (body["client_secret"] !== CLIENT.client_secret) return UNAUTHORIZED;
    if (body["grant_type"] === "refresh_token") {
      return refreshTokens.delete(body["refresh_token"] ?? "") ? issue() : UNAUTHORIZED;
    }
    const bound = codes.get(body["code"] ?? "");
    codes.delete(body["code"] ?? "");
    const challenge = createHash("sha256")
      .update(body["code_verifier"] ?? "")
      .digest("base64url");
    const isBound = bound?.challenge === challenge && bound.redirectUri === body["redirect_uri"];
    return isBound ? issue() : { status: 400, body: { error: "invalid_grant" } };
  }

  function answer(asked: Asked): Answered {
    if (asked.path === "/oauth/token") return answerTokens(asked);
    if (!accessTokens.has(asked.token)) return UNAUTHORIZED;
    if (asked.path === "/oauth/revoke") {
      accessTokens.clear();
      refreshTokens.clear();
      return { status: 200, body: {} };
    }
    if (asked.path === "/account") return { status: 200, body: ACCOUNT };
    if (asked.path === "/services") {
      const from = Number(asked.query.get("page") ?? 0);
      const services = SERVICES.slice(from, from + PAGE_SIZE).map((id) => ({ id, name: id }));
      const isLast = from + PAGE_SIZE >= SERVICES.length;
      return {
        status: 200,
        body: { services, ...(isLast ? {} : { next: `${from + PAGE_SIZE}` }) },
      };
    }
    const isChange = asked.path.endsWith("/acknowledge");
    if (isChange) changes += 1;
    return { status: 200, body: incident(isChange ? "acknowledged" : "open") };
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://beacon");
    const raw = await text(request);
    const asked: Asked = {
      path: url.pathname,
      query: url.searchParams,
      token: request.headers.authorization?.replace("Bearer ", "") ?? "",
      body: raw === "" ? {} : JSON.parse(raw),
    };
    switch (fault?.kind) {
      case "hangs":
        return;
      case "rate_limited":
        response.setHeader("retry-after", String(fault.retryAfterSeconds));
        return send(response, { status: 429, body: { error: "slow down" } });
      case "server_error":
        return send(response, { status: 503, body: { error: raw } });
      case "unauthorized":
        return send(response, { status: 401, body: { error: raw } });
      case "malformed":
        answer(asked);
        response.end("<html>Beacon</html>");
        return;
      case "answer_lost":
        answer(asked);
        response.socket?.destroy();
        return;
      case undefined:
        return send(response, answer(asked));
    }
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  const connector = createBeaconConnector({
    clientId: CLIENT.client_id,
    clientSecret: new Secret(CLIENT.client_secret),
    signingSecrets: [new Secret(SIGNING_SECRET)],
    apiUrl: `http://127.0.0.1:${port}`,
    callTimeoutMs: 3_000,
  });

  return {
    connector,
    secrets: () => [CLIENT.client_secret, SIGNING_SECRET, ...issued],
    fail(next) {
      fault = next;
    },
    changes: () => changes,
    async connect() {
      issue();
      const [access = "", refresh = ""] = issued.slice(-2);
      return {
        integrationId: "1",
        accountId: ACCOUNT.id,
        credentials: { access_token: new Secret(access), refresh_token: new Secret(refresh) },
        profile: { accountId: ACCOUNT.id, accountName: ACCOUNT.name },
      };
    },
    accepts: ({ access_token }) => accessTokens.has(access_token?.reveal() ?? ""),
    authorization: {
      kind: "oauth2",
      approve(url) {
        const { searchParams: asked } = new URL(url);
        const code = randomBytes(12).toString("hex");
        const challenge = asked.get("code_challenge") ?? "";
        codes.set(code, { challenge, redirectUri: asked.get("redirect_uri") ?? "" });
        return code;
      },
    },
    webhooks: [
      {
        path: "/webhooks/beacon",
        isTimed: true,
        account: { accountId: ACCOUNT.id, accountName: ACCOUNT.name },
        sign: ({ at, id }) => signEvent(at, id),
      },
    ],
    resourceIds: SERVICES,
    inputs: {
      get_incident: { incident_id: "inc_1" },
      acknowledge_incident: { incident_id: "inc_1" },
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function incident(state: string): object {
  return { id: "inc_1", title: "Payments are slow", state, since: "2026-11-01T10:00:00Z" };
}

function send(response: ServerResponse, { status, body }: Answered): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function signEvent(at: Date, id: string) {
  const event = { delivery_id: `dlv_${id}`, account_id: ACCOUNT.id, incident: incident("open") };
  const body = Buffer.from(JSON.stringify(event));
  const seconds = String(Math.floor(at.getTime() / 1_000));
  const signature = createHmac("sha256", SIGNING_SECRET)
    .update(`${seconds}.`)
    .update(body)
    .digest("hex");
  return {
    path: "/webhooks/beacon",
    headers: { "x-beacon-timestamp": seconds, "x-beacon-signature": signature },
    body,
    receivedAt: at,
  };
}
