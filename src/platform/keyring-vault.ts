import { readFile } from "node:fs/promises";
import type { Secret } from "@infragpt/connector-kit";
import { z } from "zod";
import { KeyringError, type KeyProvider } from "./key-provider.ts";
import { type KeyService, type RemoteKeys, remoteKeyProvider } from "./keyring-remote.ts";
import { callJson, type JsonAnswer } from "./keyring-rest.ts";

export interface VaultTransitOptions extends RemoteKeys {
  /** "https://vault.example.com:8200" */
  readonly endpoint: string;
  readonly namespace?: string;
  /** A token, or the file that a Vault agent renews it in. The file is read for every call. */
  readonly token: { readonly kind: "value"; readonly value: Secret } | TokenFile;
}

interface TokenFile {
  readonly kind: "file";
  readonly path: string;
}

const Encrypted = z.object({
  data: z.object({
    ciphertext: z
      .string()
      .regex(/^vault:v\d+:/)
      .max(100_000),
  }),
});
const Decrypted = z.object({ data: z.object({ plaintext: z.string().max(100_000) }) });
const Failure = z.object({ errors: z.array(z.string().max(10_000)).max(100) });

/**
 * Keys in Vault's transit engine, named "<mount>/<key>", of a type with associated data
 * (aes256-gcm96). The wrapped key is Vault's own text and carries Vault's version of the key in
 * its prefix ("vault:v3:…"). Vault's rewrap takes no associated data
 * (https://github.com/hashicorp/vault/issues/29532), so that a rewrap is a decrypt and an encrypt.
 * Spoken to over REST: HashiCorp has no client library for Node.
 */
export async function vaultTransitKeyProvider(options: VaultTransitOptions): Promise<KeyProvider> {
  const { endpoint, namespace, token } = options;
  const base = endpoint.replace(/\/+$/, "");

  async function post(keyId: string, verb: string, body: object, signal: AbortSignal) {
    const slash = keyId.lastIndexOf("/");
    const url = `${base}/v1/${keyId.slice(0, slash)}/${verb}/${keyId.slice(slash + 1)}`;
    const headers = {
      "x-vault-token": await readToken(token),
      "x-vault-request": "true",
      ...(namespace === undefined ? {} : { "x-vault-namespace": namespace }),
    };
    return callJson(url, { headers, body, signal });
  }

  const service: KeyService = {
    id: "vault-transit",
    name: "Vault",
    async encrypt({ keyId, bytes, aad, signal }) {
      const body = { plaintext: base64(bytes), associated_data: base64(aad) };
      const answer = await post(keyId, "encrypt", body, signal);
      if (answer.status !== 200) throw failureOf(answer);
      return Buffer.from(Encrypted.parse(answer.body).data.ciphertext, "utf8");
    },
    async decrypt({ keyId, bytes, aad, signal }) {
      const ciphertext = Buffer.from(bytes).toString("utf8");
      const body = { ciphertext, associated_data: base64(aad) };
      const answer = await post(keyId, "decrypt", body, signal);
      if (answer.status !== 200) throw failureOf(answer);
      return Buffer.from(Decrypted.parse(answer.body).data.plaintext, "base64");
    },
  };
  return remoteKeyProvider(service, options);
}

async function readToken(token: VaultTransitOptions["token"]): Promise<string> {
  if (token.kind === "value") return token.value.reveal();
  try {
    return (await readFile(token.path, "utf8")).trim();
  } catch (error) {
    throw new KeyringError("refused", `The Vault token in ${token.path} cannot be read.`, {
      cause: error,
    });
  }
}

function failureOf({ status, body }: JsonAnswer): Error {
  const errors = Failure.safeParse(body).data?.errors ?? [];
  // Vault has no codes for these: the texts are Go's and transit's own.
  const isRecordAtFault = errors.some((text) =>
    /message authentication failed|invalid ciphertext|invalid data key/i.test(text),
  );
  if (status === 400 && isRecordAtFault) {
    return new KeyringError(
      "undecryptable",
      "Vault does not open this record: it is damaged, was moved, or belongs to another key.",
    );
  }
  if (status >= 400 && status < 500 && status !== 412 && status !== 429) {
    return new KeyringError(
      "refused",
      `Vault refused the key (${status}): check the mount, the key, and the token and its policy.`,
    );
  }
  return new Error(`Vault answered ${status}`);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
