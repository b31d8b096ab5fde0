/** Holds the keys that encrypt keys (KEKs): a file, an environment variable, later a KMS. */
export interface KeyProvider {
  readonly id: "file" | "env" | "aws-kms" | "gcp-kms" | "vault-transit";
  /** The key that new records are wrapped with. */
  primaryKeyId(): string;
  /** Every key that can unwrap. */
  knownKeyIds(): readonly string[];
  /** Wraps with the primary key. `aadOf` gives the authenticated data for a key id. */
  wrap(
    dek: Uint8Array,
    aadOf: (kekId: string) => Uint8Array,
    signal: AbortSignal,
  ): Promise<{ readonly kekId: string; readonly wrapped: Uint8Array }>;
  /** Wraps with a key named by the caller: for canaries of every known key. */
  unwrap(
    kekId: string,
    wrapped: Uint8Array,
    aad: Uint8Array,
    signal: AbortSignal,
  ): Promise<Uint8Array>;
  /** Throws KeyringError when the provider cannot be used. */
  check(): Promise<void>;
}
