import { randomBytes } from "node:crypto";
import {
  bytesIn,
  decrypt,
  encrypt,
  serveKeys,
  type FakeKeyServer,
  type KeyServiceAnswer,
  type KeyServiceRequest,
} from "../key-service/index.ts";

export interface FakeGcpKms extends FakeKeyServer {
  /** Makes a key and returns its resource name. */
  createKey(): string;
  /** The next encryptions use a new version; what older ones encrypted still opens. */
  turnKey(name: string): void;
  disableKey(name: string): void;
  /** What workload identity federation asks with its subject token, and the token it gets. */
  readonly tokenUrl: string;
}

interface Key {
  readonly versions: Buffer[];
  isEnabled: boolean;
}

const ACCESS_TOKEN = "ya29.fake";

/**
 * Google Cloud KMS's REST API, checksums both ways included, and the security token service that
 * workload identity federation exchanges its tokens at:
 * https://cloud.google.com/kms/docs/reference/rest/v1/projects.locations.keyRings.cryptoKeys (2026-11).
 */
export async function startFakeGcpKms(): Promise<FakeGcpKms> {
  const keys = new Map<string, Key>();
  const server = await serveKeys({
    answer: (request) => answer(keys, request),
    throttled: failure(429, "RESOURCE_EXHAUSTED"),
    corrupted: ({ status, body }) => ({ status, body: flipped(body) }),
  });
  return Object.assign(server, {
    tokenUrl: `${server.url}/sts/token`,
    createKey() {
      const name = `projects/p/locations/europe/keyRings/r/cryptoKeys/k${keys.size + 1}`;
      keys.set(name, { versions: [randomBytes(32)], isEnabled: true });
      return name;
    },
    turnKey(name: string) {
      keys.get(name)?.versions.push(randomBytes(32));
    },
    disableKey(name: string) {
      const key = keys.get(name);
      if (key) key.isEnabled = false;
    },
  });
}

function answer(
  keys: ReadonlyMap<string, Key>,
  { path, headers, body }: KeyServiceRequest,
): KeyServiceAnswer {
  if (path === "/sts/token") return tokenFor(body);
  if (headers.authorization !== `Bearer ${ACCESS_TOKEN}`) return failure(401, "UNAUTHENTICATED");
  const [name = "", verb] = path.replace(/^\/v1\//, "").split(":");
  const key = keys.get(name);
  if (!key) return failure(404, "NOT_FOUND");
  if (!key.isEnabled) return failure(400, "FAILED_PRECONDITION");
  const aad = bytesIn(body["additionalAuthenticatedData"]);
  if (crc(aad) !== body["additionalAuthenticatedDataCrc32c"])
    return failure(400, "INVALID_ARGUMENT");
  if (verb === "encrypt") return encryptWith(name, key, body, aad);
  return verb === "decrypt" ? decryptWith(key, body, aad) : failure(404, "NOT_FOUND");
}

function encryptWith(
  name: string,
  { versions }: Key,
  body: KeyServiceRequest["body"],
  aad: Buffer,
): KeyServiceAnswer {
  const plaintext = bytesIn(body["plaintext"]);
  const version = versions.length;
  const material = versions[version - 1] ?? Buffer.alloc(32);
  const sealed = Buffer.concat([Buffer.from([version]), encrypt(material, plaintext, aad)]);
  return {
    status: 200,
    body: {
      name: `${name}/cryptoKeyVersions/${version}`,
      ciphertext: sealed.toString("base64"),
      ciphertextCrc32c: crc(sealed),
      verifiedPlaintextCrc32c: crc(plaintext) === body["plaintextCrc32c"],
      verifiedAdditionalAuthenticatedDataCrc32c: true,
      protectionLevel: "SOFTWARE",
    },
  };
}

function decryptWith(
  { versions }: Key,
  body: KeyServiceRequest["body"],
  aad: Buffer,
): KeyServiceAnswer {
  const sealed = bytesIn(body["ciphertext"]);
  const material = versions[(sealed[0] ?? 0) - 1];
  if (!material || crc(sealed) !== body["ciphertextCrc32c"])
    return failure(400, "INVALID_ARGUMENT");
  const opened = decrypt(material, sealed.subarray(1), aad);
  if (!opened) return failure(400, "INVALID_ARGUMENT");
  const answered = { plaintext: opened.toString("base64"), plaintextCrc32c: crc(opened) };
  return { status: 200, body: { ...answered, usedPrimary: sealed[0] === versions.length } };
}

function tokenFor(body: KeyServiceRequest["body"]): KeyServiceAnswer {
  if (body["subject_token"] !== "workload-token") return failure(400, "INVALID_ARGUMENT");
  return {
    status: 200,
    body: {
      access_token: ACCESS_TOKEN,
      issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
      token_type: "Bearer",
      expires_in: 3600,
    },
  };
}

function failure(code: number, status: string): KeyServiceAnswer {
  return { status: code, body: { error: { code, message: status, status } } };
}

/** One bit of whatever bytes come back. */
function flipped(body: object): object {
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => {
      if (name !== "ciphertext" && name !== "plaintext") return [name, value];
      const bytes = bytesIn(value);
      bytes[bytes.length - 1]! ^= 1;
      return [name, bytes.toString("base64")];
    }),
  );
}

/** Bit by bit, so that it shares nothing with the code under test. */
function crc(bytes: Buffer): string {
  let rest = 0xffffffff;
  for (const byte of bytes) {
    rest ^= byte;
    for (let bit = 0; bit < 8; bit += 1) rest = (rest >>> 1) ^ (rest & 1 ? 0x82f63b78 : 0);
  }
  return String(~rest >>> 0);
}
