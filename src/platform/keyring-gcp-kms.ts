import { z } from "zod";
import { crc32c } from "./crc32c.ts";
import { KeyringError, type KeyProvider } from "./key-provider.ts";
import { type KeyService, type RemoteKeys, remoteKeyProvider } from "./keyring-remote.ts";
import { callJson, type JsonAnswer } from "./keyring-rest.ts";
import type { Secret } from "@infragpt/connector-kit";

export interface GcpKmsOptions extends RemoteKeys {
  /** Default: https://cloudkms.googleapis.com */
  readonly endpoint?: string;
  /** A credentials file's JSON; the application default credentials otherwise. */
  readonly credentials?: Secret;
}

const ENDPOINT = "https://cloudkms.googleapis.com";
const SCOPE = "https://www.googleapis.com/auth/cloudkms";

/** int64 travels as text in Google's JSON. */
const Checksum = z.coerce.number().int();
const Encrypted = z.object({
  name: z.string().max(1000),
  ciphertext: z.string().max(100_000),
  ciphertextCrc32c: Checksum,
  verifiedPlaintextCrc32c: z.boolean().default(false),
  verifiedAdditionalAuthenticatedDataCrc32c: z.boolean().default(false),
});
const Decrypted = z.object({ plaintext: z.string().max(100_000), plaintextCrc32c: Checksum });
const Failure = z.object({ error: z.object({ status: z.string().max(100) }) });

/**
 * Keys in Google Cloud KMS, named "projects/…/locations/…/keyRings/…/cryptoKeys/…"; Google turns
 * their versions by itself. Spoken to over REST: its client library brings gRPC and 60 packages for
 * two calls. Google's own library finds the credentials; it is loaded here.
 */
export async function gcpKmsKeyProvider(options: GcpKmsOptions): Promise<KeyProvider> {
  const { GoogleAuth } = await import("google-auth-library");
  const auth = new GoogleAuth({
    scopes: [SCOPE],
    ...(options.credentials ? { credentials: credentialsOf(options.credentials) } : {}),
  });
  const base = (options.endpoint ?? ENDPOINT).replace(/\/+$/, "");

  async function post(keyId: string, verb: string, body: object, signal: AbortSignal) {
    const token = await withSignal(auth.getAccessToken(), signal);
    const url = `${base}/v1/${keyId}:${verb}`;
    return callJson(url, { headers: { authorization: `Bearer ${token}` }, body, signal });
  }

  const service: KeyService = {
    id: "gcp-kms",
    name: "Google Cloud KMS",
    async encrypt({ keyId, bytes, aad, signal }) {
      const answer = await post(
        keyId,
        "encrypt",
        {
          plaintext: base64(bytes),
          plaintextCrc32c: String(crc32c(bytes)),
          additionalAuthenticatedData: base64(aad),
          additionalAuthenticatedDataCrc32c: String(crc32c(aad)),
        },
        signal,
      );
      if (answer.status !== 200) throw failureOf(answer, "refused");
      const sealed = Encrypted.parse(answer.body);
      if (
        !sealed.verifiedPlaintextCrc32c ||
        !sealed.verifiedAdditionalAuthenticatedDataCrc32c ||
        !sealed.name.startsWith(`${keyId}/`)
      ) {
        throw new Error("Google Cloud KMS did not get what was sent.");
      }
      return checked(sealed.ciphertext, sealed.ciphertextCrc32c);
    },
    async decrypt({ keyId, bytes, aad, signal }) {
      const answer = await post(
        keyId,
        "decrypt",
        {
          ciphertext: base64(bytes),
          ciphertextCrc32c: String(crc32c(bytes)),
          additionalAuthenticatedData: base64(aad),
          additionalAuthenticatedDataCrc32c: String(crc32c(aad)),
        },
        signal,
      );
      if (answer.status !== 200) throw failureOf(answer, "undecryptable");
      const { plaintext, plaintextCrc32c } = Decrypted.parse(answer.body);
      return checked(plaintext, plaintextCrc32c);
    },
  };
  return remoteKeyProvider(service, options);
}

/** Only fields of known kinds of credentials reach the library: some kinds name a program to run. */
function credentialsOf(credentials: Secret): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(credentials.reveal());
  } catch {
    // The parser's own message quotes the text.
    parsed = undefined;
  }
  const result = z
    .looseObject({
      type: z.enum(["service_account", "external_account"]),
      credential_source: z.looseObject({ executable: z.undefined().optional() }).optional(),
    })
    .safeParse(parsed);
  if (result.success) return result.data;
  throw new KeyringError(
    "refused",
    "encryption.credentials is not the JSON of a service account or of workload identity federation without a program to run.",
  );
}

/** Corrupted on the way: worth another try. */
function checked(text: string, checksum: number): Uint8Array {
  const bytes = Buffer.from(text, "base64");
  if (crc32c(bytes) === checksum) return bytes;
  throw new Error("Google Cloud KMS's answer was damaged on the way.");
}

function failureOf({ status, body }: JsonAnswer, invalidIs: "refused" | "undecryptable"): Error {
  const reason = Failure.safeParse(body).data?.error.status ?? "";
  if (status === 400 && reason === "INVALID_ARGUMENT") {
    return new KeyringError(
      invalidIs,
      "Google Cloud KMS does not open this record: it is damaged, was moved, or belongs to another key.",
    );
  }
  if (status === 400 || status === 401 || status === 403 || status === 404) {
    return new KeyringError(
      "refused",
      `Google Cloud KMS refused the key (${status} ${reason}): check its state and the service account's roles.`,
    );
  }
  return new Error(`Google Cloud KMS answered ${status} ${reason}`);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

/** The library's own requests take no signal. */
async function withSignal<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  function onAbort(): void {
    reject(signal.reason);
  }
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
