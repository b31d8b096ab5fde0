import type { SealContext } from "#platform";

/** pending: known, seals nothing yet. decrypt_only: opens what it sealed before. retired: opens nothing. */
export type KeyState = "pending" | "active" | "decrypt_only" | "retired";

/** A key as the database knows it, proven by its canary. */
export interface RegisteredKey {
  readonly id: string;
  readonly state: KeyState;
  readonly canary: Buffer;
  /** Records come to it with a new data key each. */
  readonly makesNewDataKeys: boolean;
  readonly createdAt: Date;
  readonly promotedAt: Date | undefined;
  readonly retiredAt: Date | undefined;
}

/** How many records of one table a key seals. */
export interface KeyUse {
  readonly keyId: string;
  readonly table: string;
  readonly records: number;
  /** Of those, how many it does not open. */
  readonly undecryptable: number;
}

/** A running replica and the keys it has shown to hold. */
export interface Replica {
  readonly id: string;
  /** "host:pid" */
  readonly host: string;
  readonly primaryKeyId: string;
  readonly knownKeyIds: readonly string[];
  readonly seenAt: Date;
}

/** A stored record as the rewrap sees it. */
export interface StoredRecord {
  readonly id: string;
  readonly context: SealContext;
  readonly kekId: string;
  readonly wrappedDek: Buffer;
  readonly format: number;
  /** Empty unless it was asked for. */
  readonly ciphertext: Buffer;
}

/** A record under its next key; `ciphertext` where it has a new data key too. */
export interface MovedRecord {
  readonly from: StoredRecord;
  readonly kekId: string;
  readonly wrappedDek: Uint8Array;
  readonly ciphertext: Uint8Array | undefined;
}
