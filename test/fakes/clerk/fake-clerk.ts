import { createHmac, generateKeyPairSync, randomBytes, sign, type KeyObject } from "node:crypto";
import { createServer } from "node:http";

/** A webhook as Svix sends it for Clerk. */
export interface SignedDelivery {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** One Clerk instance: its keys, its session tokens and its webhooks. */
export interface FakeClerk extends AsyncDisposable {
  /** The Frontend API URL: `iss` of its tokens. */
  readonly issuer: string;
  readonly jwksUrl: string;
  readonly jwtKeyPem: string;
  readonly webhookSecret: string;
  readonly kid: string;
  /** How often its keys were asked for. */
  readonly jwksRequests: number;
  /** While down, the key endpoint breaks every connection. */
  setDown(isDown: boolean): void;
  /** New tokens get another key; the old one is gone from the endpoint. */
  rotateKey(): void;
  /** A session token that holds for a minute; `claims` and `header` win over the usual ones, undefined leaves out. */
  mint(
    claims: Readonly<Record<string, unknown>>,
    header?: Readonly<Record<string, unknown>>,
  ): string;
  signWebhook(
    event: object | Uint8Array,
    options?: {
      readonly id?: string;
      readonly atMs?: number;
      readonly secret?: string;
      readonly prefix?: "svix" | "webhook";
    },
  ): SignedDelivery;
}

interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export async function startFakeClerk(): Promise<FakeClerk> {
  let key = newKey();
  let isDown = false;
  let jwksRequests = 0;
  const webhookSecret = `whsec_${randomBytes(32).toString("base64")}`;
  const server = createServer((request, response) => {
    if (request.url !== "/.well-known/jwks.json") {
      response.writeHead(404).end();
      return;
    }
    jwksRequests += 1;
    if (isDown) {
      request.socket.destroy();
      return;
    }
    const jwk = {
      ...key.publicKey.export({ format: "jwk" }),
      kid: key.kid,
      use: "sig",
      alg: "RS256",
    };
    response.writeHead(200, { "content-type": "application/json", connection: "close" });
    response.end(JSON.stringify({ keys: [jwk] }));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (typeof address !== "object" || !address) throw new Error("the fake Clerk has no port");
  const issuer = `http://127.0.0.1:${address.port}`;

  return {
    issuer,
    jwksUrl: `${issuer}/.well-known/jwks.json`,
    get jwtKeyPem() {
      return key.publicKey.export({ type: "spki", format: "pem" });
    },
    webhookSecret,
    get kid() {
      return key.kid;
    },
    get jwksRequests() {
      return jwksRequests;
    },
    setDown(next) {
      isDown = next;
    },
    rotateKey() {
      key = newKey();
    },
    mint(claims, header = {}) {
      const now = Math.floor(Date.now() / 1000);
      const payload = {
        iss: issuer,
        iat: now,
        nbf: now - 10,
        exp: now + 60,
        sid: `sess_${randomBytes(6).toString("hex")}`,
        azp: "https://app.example.com",
        ...claims,
      };
      return signJwt(
        { alg: "RS256", typ: "JWT", kid: key.kid, ...header },
        payload,
        key.privateKey,
      );
    },
    signWebhook(event, { id, atMs, secret = webhookSecret, prefix = "svix" } = {}) {
      const body = event instanceof Uint8Array ? event : Buffer.from(JSON.stringify(event));
      const messageId = id ?? `msg_${randomBytes(12).toString("hex")}`;
      const timestamp = String(Math.floor((atMs ?? Date.now()) / 1000));
      const signature = createHmac("sha256", Buffer.from(secret.slice("whsec_".length), "base64"))
        .update(`${messageId}.${timestamp}.`)
        .update(body)
        .digest("base64");
      return {
        headers: {
          "content-type": "application/json",
          [`${prefix}-id`]: messageId,
          [`${prefix}-timestamp`]: timestamp,
          [`${prefix}-signature`]: `v1,${signature}`,
        },
        body,
      };
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

/** A compact JWS over any header and payload, also ones that nobody should accept. */
export function signJwt(header: object, payload: object, privateKey: KeyObject): string {
  const input = [header, payload]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  return `${input}.${sign("sha256", Buffer.from(input), privateKey).toString("base64url")}`;
}

function newKey(): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { kid: `ins_${randomBytes(8).toString("hex")}`, privateKey, publicKey };
}
