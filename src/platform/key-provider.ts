/**
 * The authenticated data in named fields, for services that take and log no bytes: ids only, never
 * a secret. It always says the same as the bytes beside it.
 */
export type WrapContext = Readonly<Record<string, string>>;

/** Holds the keys that encrypt data keys (KEKs): a file, an environment variable, a key service. */
export interface KeyProvider {
  readonly id: "file" | "env" | "aws-kms" | "gcp-kms" | "vault-transit";
  /** The key that new records are wrapped with. */
  primaryKeyId(): string;
  /** Every key that can unwrap. */
  knownKeyIds(): readonly string[];
  /** Encrypts a data key with the primary key. */
  wrap(
    dek: Uint8Array,
    aad: Uint8Array,
    signal: AbortSignal,
    context: WrapContext,
  ): Promise<{ readonly kekId: string; readonly wrapped: Uint8Array }>;
  /**
   * Throws KeyringError for a key it does not know and for bytes that do not authenticate, and
   * AppError("unavailable") while a key service does not answer.
   */
  unwrap(
    kekId: string,
    wrapped: Uint8Array,
    aad: Uint8Array,
    signal: AbortSignal,
    context: WrapContext,
  ): Promise<Uint8Array>;
  /** Throws KeyringError when the keys cannot be used. */
  check(): Promise<void>;
  /** Reads the keys again where they can change under a running service; true when they did. */
  reload?(): Promise<boolean>;
}

/**
 * Why the keyring did not do what was asked.
 *
 * - `refused`: the keys are missing or unfit; the start ends with exit 78.
 * - `unknown_key`: the record needs a key that is not here.
 * - `undecryptable`: the key is here, but record and context do not belong to it or to each other.
 */
export type KeyringErrorKind = "refused" | "unknown_key" | "undecryptable";

/** The message says what to do and never contains key material. */
export class KeyringError extends Error {
  override readonly name = "KeyringError";
  readonly kind: KeyringErrorKind;

  constructor(kind: KeyringErrorKind, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.kind = kind;
  }
}
