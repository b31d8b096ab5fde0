import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";

/** What a key service does wrong on purpose, for so many calls. */
export type KeyServiceFault = "hang" | "error" | "throttle" | "drop" | "corrupt";

export interface KeyServiceAnswer {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A call as a fake sees it. */
export interface KeyServiceRequest {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Record<string, unknown>;
}

export interface FakeKeyServer extends AsyncDisposable {
  readonly url: string;
  /** Every call so far, the refused ones too. */
  readonly requests: readonly KeyServiceRequest[];
  /** The next `count` calls go wrong. */
  failNext(fault: KeyServiceFault, count?: number): void;
  /** From now on calls go well again. */
  recover(): void;
}

interface Protocol {
  answer(request: KeyServiceRequest): KeyServiceAnswer;
  readonly throttled: KeyServiceAnswer;
  corrupted(answer: KeyServiceAnswer): KeyServiceAnswer;
}

/** The HTTP side that the fakes of key services share: bodies, faults, a clean end. */
export async function serveKeys(protocol: Protocol): Promise<FakeKeyServer> {
  const requests: KeyServiceRequest[] = [];
  const faults: KeyServiceFault[] = [];
  const server = createServer((request, response) => {
    void handle(request, response);
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = parse(await text(request));
    const seen = { path: request.url ?? "", headers: request.headers, body };
    requests.push(seen);
    const fault = faults.shift();
    if (fault === "hang") return;
    if (fault === "drop") {
      request.socket.destroy();
      return;
    }
    const answer = answerWith(protocol, seen, fault);
    response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers });
    response.end(JSON.stringify(answer.body));
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    failNext(fault, count = 1) {
      faults.push(...Array.from({ length: count }, () => fault));
    },
    recover() {
      faults.length = 0;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function answerWith(
  protocol: Protocol,
  request: KeyServiceRequest,
  fault: KeyServiceFault | undefined,
): KeyServiceAnswer {
  if (fault === "error") return { status: 503, body: {} };
  if (fault === "throttle") return protocol.throttled;
  const answer = protocol.answer(request);
  return fault === "corrupt" ? protocol.corrupted(answer) : answer;
}

function parse(raw: string): Record<string, unknown> {
  return raw.startsWith("{") ? JSON.parse(raw) : Object.fromEntries(new URLSearchParams(raw));
}

/** AES-256-GCM as the services do it inside. */
export function encrypt(key: Buffer, plaintext: Buffer, aad: Buffer): Buffer {
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, iv).setAAD(aad);
  return Buffer.concat([iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** Undefined where the bytes do not authenticate. */
export function decrypt(key: Buffer, sealed: Buffer, aad: Buffer): Buffer | undefined {
  if (sealed.length < 28) return undefined;
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, 12));
  decipher.setAAD(aad).setAuthTag(sealed.subarray(-16));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]);
  } catch {
    return undefined;
  }
}

export function bytesIn(value: unknown): Buffer {
  return Buffer.from(typeof value === "string" ? value : "", "base64");
}
