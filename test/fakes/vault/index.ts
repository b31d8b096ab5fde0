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

export interface FakeVault extends FakeKeyServer {
  /** The token that is accepted now; set it to end the former. */
  token: string;
  /** Makes a transit key and returns "transit/<name>". */
  createKey(): string;
  /** The next encryptions use a new version; what older ones encrypted still opens. */
  turnKey(keyId: string): void;
  deleteKey(keyId: string): void;
}

/**
 * Vault's transit engine at "transit": encrypt, decrypt and rewrap of aes256-gcm96 keys, with the
 * texts of its errors: https://developer.hashicorp.com/vault/api-docs/secret/transit (2026-11).
 */
export async function startFakeVault(): Promise<FakeVault> {
  const keys = new Map<string, Buffer[]>();
  const server = await serveKeys({
    answer: (request) =>
      request.headers["x-vault-token"] === vault.token
        ? answer(keys, request)
        : failure(403, "permission denied"),
    throttled: failure(429, "request path rate limit quota exceeded"),
    corrupted: () => ({ status: 200, body: { data: {} } }),
  });
  const vault: FakeVault = Object.assign(server, {
    token: "hvs.fake",
    createKey() {
      const name = `k${keys.size + 1}`;
      keys.set(name, [randomBytes(32)]);
      return `transit/${name}`;
    },
    turnKey(keyId: string) {
      keys.get(nameIn(keyId))?.push(randomBytes(32));
    },
    deleteKey(keyId: string) {
      keys.delete(nameIn(keyId));
    },
  });
  return vault;
}

function nameIn(keyId: string): string {
  return keyId.slice(keyId.lastIndexOf("/") + 1);
}

function answer(
  keys: ReadonlyMap<string, readonly Buffer[]>,
  { path, body }: KeyServiceRequest,
): KeyServiceAnswer {
  const [, verb, name = ""] = /^\/v1\/transit\/(encrypt|decrypt|rewrap)\/([^/]+)$/.exec(path) ?? [];
  const versions = keys.get(name);
  if (!verb) return failure(404, "unsupported path");
  if (!versions) return failure(400, "encryption key not found");
  const aad = bytesIn(body["associated_data"]);
  if (verb === "encrypt") return encrypted(versions, bytesIn(body["plaintext"]), aad);
  // rewrap ignores associated data: https://github.com/hashicorp/vault/issues/29532
  const opened = open(versions, String(body["ciphertext"]), verb === "rewrap" ? Buffer.of() : aad);
  if (!opened) return failure(400, "cipher: message authentication failed");
  if (verb === "rewrap") return encrypted(versions, opened, Buffer.of());
  return { status: 200, body: { data: { plaintext: opened.toString("base64") } } };
}

function encrypted(versions: readonly Buffer[], plaintext: Buffer, aad: Buffer): KeyServiceAnswer {
  const material = versions.at(-1) ?? Buffer.alloc(32);
  const sealed = encrypt(material, plaintext, aad).toString("base64");
  const ciphertext = `vault:v${versions.length}:${sealed}`;
  return { status: 200, body: { data: { ciphertext, key_version: versions.length } } };
}

function open(versions: readonly Buffer[], ciphertext: string, aad: Buffer): Buffer | undefined {
  const [, version, sealed] = /^vault:v(\d+):(.+)$/.exec(ciphertext) ?? [];
  const material = versions[Number(version) - 1];
  return material && decrypt(material, bytesIn(sealed), aad);
}

function failure(status: number, text: string): KeyServiceAnswer {
  return { status, body: { errors: [text] } };
}
