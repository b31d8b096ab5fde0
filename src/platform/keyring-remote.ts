import { deadline, type Abortable } from "./abort.ts";
import { createBreaker } from "./breaker.ts";
import { AppError } from "./errors.ts";
import { KeyringError, type KeyProvider, type WrapContext } from "./key-provider.ts";
import { retry } from "./retry.ts";

const CALL_TIMEOUT_MS = 2_000;
const ATTEMPTS_MAX = 3;
const RETRY_MS = { baseMs: 50, maxMs: 500 } as const;
const PROBE_CONTEXT: WrapContext = { purpose: "infragpt/probe/1" };
const PROBE = Buffer.alloc(32, "infragpt/probe");

/** One key service, spoken to once: no retries, no deadline of its own beside the signal. */
export interface KeyService {
  readonly id: Exclude<KeyProvider["id"], "file" | "env">;
  /** For people: "AWS KMS". */
  readonly name: string;
  /** Throws KeyringError("refused") where a retry cannot help, anything else where it may. */
  encrypt(call: KeyServiceCall): Promise<Uint8Array>;
  /** Throws KeyringError("undecryptable") when the service says that the bytes do not authenticate. */
  decrypt(call: KeyServiceCall): Promise<Uint8Array>;
}

interface KeyServiceCall extends Abortable {
  readonly keyId: string;
  /** Plaintext to encrypt, ciphertext to decrypt. */
  readonly bytes: Uint8Array;
  readonly aad: Uint8Array;
  readonly context: WrapContext;
}

export interface RemoteKeys {
  /** The key that new records are wrapped with. */
  readonly keyId: string;
  /** Further keys that may open records: former ones, and the next before it is promoted. */
  readonly decryptKeyIds: readonly string[];
}

/**
 * A key service as a provider: 2 s a call, three tries, a breaker, and AppError("unavailable") while
 * it does not answer. Nothing is cached, so a key that is disabled there opens nothing here.
 */
export function remoteKeyProvider(service: KeyService, keys: RemoteKeys): KeyProvider {
  const known = [...new Set([keys.keyId, ...keys.decryptKeyIds])];
  const breaker = createBreaker({
    name: service.name,
    isFailure: (error) => !(error instanceof KeyringError),
  });

  async function call<T>(run: (options: Abortable) => Promise<T>, signal: AbortSignal): Promise<T> {
    try {
      return await retry(
        () =>
          breaker.run((options) => run({ signal: deadline(options.signal, CALL_TIMEOUT_MS) }), {
            signal,
          }),
        { attemptsMax: ATTEMPTS_MAX, ...RETRY_MS, signal, isRetryable },
      );
    } catch (error) {
      if (signal.aborted || error instanceof AppError || error instanceof KeyringError) throw error;
      throw unavailable(service, error);
    }
  }

  const provider: KeyProvider = {
    id: service.id,
    primaryKeyId: () => keys.keyId,
    knownKeyIds: () => known,
    async wrap(dek, aad, signal, context) {
      const input = { keyId: keys.keyId, bytes: dek, aad, context };
      const wrapped = await inUse(
        service,
        call((options) => service.encrypt({ ...input, ...options }), signal),
      );
      return { kekId: keys.keyId, wrapped };
    },
    async unwrap(kekId, wrapped, aad, signal, context) {
      if (!known.includes(kekId)) {
        throw new KeyringError(
          "unknown_key",
          `${service.name} is not configured with the key ${JSON.stringify(kekId)}.`,
        );
      }
      const input = { keyId: kekId, bytes: wrapped, aad, context };
      return inUse(
        service,
        call((options) => service.decrypt({ ...input, ...options }), signal),
      );
    },
    async check() {
      const { signal } = new AbortController();
      const input = { keyId: keys.keyId, aad: Buffer.from(PROBE), context: PROBE_CONTEXT };
      const sealed = await call(
        (options) => service.encrypt({ ...input, bytes: PROBE, ...options }),
        signal,
      );
      const opened = await call(
        (options) => service.decrypt({ ...input, bytes: sealed, ...options }),
        signal,
      );
      if (PROBE.equals(opened)) return;
      throw new KeyringError("refused", `${service.name} does not decrypt what it encrypted.`);
    },
  };
  return provider;
}

/** A refusal at the start ends it; a refusal of a running service may be mended at the other side. */
async function inUse<T>(service: KeyService, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof KeyringError && error.kind === "refused") {
      throw unavailable(service, error);
    }
    throw error;
  }
}

function isRetryable(error: unknown): boolean {
  return !(error instanceof KeyringError) && !(error instanceof AppError);
}

function unavailable({ name }: KeyService, cause: unknown): AppError {
  return new AppError(
    "unavailable",
    `${name} holds the encryption keys and does not answer: try again in a moment.`,
    { cause },
  );
}
