import type { KMSClient } from "@aws-sdk/client-kms";
import { KeyringError, type KeyProvider } from "./key-provider.ts";
import { type KeyService, type RemoteKeys, remoteKeyProvider } from "./keyring-remote.ts";

export interface AwsKmsOptions extends RemoteKeys {
  readonly region: string;
  /** Instead of the region's own address: a VPC endpoint, or a test. */
  readonly endpoint?: string;
}

const CONNECT_TIMEOUT_MS = 1_000;
const UNDECRYPTABLE = new Set(["InvalidCiphertextException", "IncorrectKeyException"]);
const REFUSED = new Set([
  "AccessDeniedException",
  "DisabledException",
  "InvalidKeyUsageException",
  "KMSInvalidStateException",
  "NotFoundException",
  "UnrecognizedClientException",
]);

/**
 * Keys in AWS KMS, named by ARN: an alias could be pointed at another key. The ids of a record go
 * into the encryption context, which CloudTrail shows. Credentials come from the SDK's default
 * chain. The SDK is loaded here, so that other providers do not pay for it (60 ms).
 */
export async function awsKmsKeyProvider(options: AwsKmsOptions): Promise<KeyProvider> {
  const { KMSClient, EncryptCommand, DecryptCommand } = await import("@aws-sdk/client-kms");
  const client: KMSClient = new KMSClient({
    region: options.region,
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    // One layer retries: the provider's, under one deadline.
    maxAttempts: 1,
    requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS },
  });
  const service: KeyService = {
    id: "aws-kms",
    name: "AWS KMS",
    async encrypt({ keyId, bytes, context, signal }) {
      const command = new EncryptCommand({
        KeyId: keyId,
        Plaintext: bytes,
        EncryptionContext: context,
      });
      const { CiphertextBlob, KeyId } = await sent(client.send(command, { abortSignal: signal }));
      return bytesUnder(keyId, KeyId, CiphertextBlob);
    },
    async decrypt({ keyId, bytes, context, signal }) {
      // With KeyId, KMS refuses ciphertext of any other key, which it would find by itself otherwise.
      const command = new DecryptCommand({
        KeyId: keyId,
        CiphertextBlob: bytes,
        EncryptionContext: context,
      });
      const { Plaintext, KeyId } = await sent(client.send(command, { abortSignal: signal }));
      return bytesUnder(keyId, KeyId, Plaintext);
    },
  };
  return remoteKeyProvider(service, options);
}

async function sent<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    const name = error instanceof Error ? error.name : "";
    if (UNDECRYPTABLE.has(name)) {
      throw new KeyringError(
        "undecryptable",
        "AWS KMS does not open this record: it is damaged, was moved, or belongs to another key.",
        { cause: error },
      );
    }
    if (REFUSED.has(name)) {
      throw new KeyringError(
        "refused",
        `AWS KMS refused the key (${name}): check its state, its policy and the service's role.`,
        { cause: error },
      );
    }
    throw error;
  }
}

function bytesUnder(
  asked: string,
  used: string | undefined,
  bytes: Uint8Array | undefined,
): Uint8Array {
  if (!bytes) throw new Error("AWS KMS answered without bytes.");
  if (used === asked) return bytes;
  throw new KeyringError("refused", `AWS KMS used the key ${used} instead of ${asked}.`);
}
