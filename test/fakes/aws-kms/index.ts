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

export interface FakeAwsKms extends FakeKeyServer {
  /** Makes a key and returns its ARN. */
  createKey(): string;
  disableKey(arn: string): void;
}

/**
 * AWS KMS over its JSON 1.1 protocol: Encrypt and Decrypt of symmetric keys with an encryption
 * context. The ciphertext names its key, as the real one does, and Decrypt with another KeyId is
 * refused: https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html (2026-11).
 */
export async function startFakeAwsKms(): Promise<FakeAwsKms> {
  const keys = new Map<string, { readonly material: Buffer; isEnabled: boolean }>();
  const server = await serveKeys({
    answer: (request) => answer(keys, request),
    throttled: failure("ThrottlingException"),
    corrupted: () => ({ status: 200, body: {} }),
  });
  return Object.assign(server, {
    createKey() {
      const arn = `arn:aws:kms:eu-west-1:111122223333:key/${crypto.randomUUID()}`;
      keys.set(arn, { material: randomBytes(32), isEnabled: true });
      return arn;
    },
    disableKey(arn: string) {
      const key = keys.get(arn);
      if (key) key.isEnabled = false;
    },
  });
}

type Keys = ReadonlyMap<string, { readonly material: Buffer; readonly isEnabled: boolean }>;

function answer(keys: Keys, { headers, body }: KeyServiceRequest): KeyServiceAnswer {
  if (!headers.authorization?.startsWith("AWS4-HMAC-SHA256 Credential=")) {
    return failure("MissingAuthenticationTokenException");
  }
  const target = String(headers["x-amz-target"]);
  const arn = String(body["KeyId"]);
  const key = keys.get(arn);
  if (!key) return failure("NotFoundException");
  if (!key.isEnabled) return failure("DisabledException");
  const aad = contextBytes(body["EncryptionContext"]);
  if (target === "TrentService.Encrypt") {
    const sealed = encrypt(key.material, bytesIn(body["Plaintext"]), aad);
    const blob = Buffer.concat([Buffer.from(`${arn}\n`), sealed]).toString("base64");
    return ok({
      CiphertextBlob: blob,
      KeyId: arn,
      EncryptionAlgorithm: "SYMMETRIC_DEFAULT",
    });
  }
  if (target !== "TrentService.Decrypt") return failure("UnknownOperationException");
  const blob = bytesIn(body["CiphertextBlob"]);
  const end = blob.indexOf("\n");
  const named = blob.subarray(0, Math.max(end, 0)).toString();
  if (keys.has(named) && named !== arn) return failure("IncorrectKeyException");
  const opened = named === arn ? decrypt(key.material, blob.subarray(end + 1), aad) : undefined;
  if (!opened) return failure("InvalidCiphertextException");
  return ok({ Plaintext: opened.toString("base64"), KeyId: arn });
}

/** The order of the fields does not matter. */
function contextBytes(context: unknown): Buffer {
  const fields = Object.entries(typeof context === "object" && context ? context : {});
  return Buffer.from(JSON.stringify(fields.toSorted(([a], [b]) => (a < b ? -1 : 1))));
}

function ok(body: object): KeyServiceAnswer {
  return { status: 200, body, headers: { "content-type": "application/x-amz-json-1.1" } };
}

function failure(name: string): KeyServiceAnswer {
  const body = { __type: `com.amazonaws.kms#${name}`, message: name };
  return { status: 400, body, headers: { "content-type": "application/x-amz-json-1.1" } };
}
