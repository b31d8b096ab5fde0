import type { GeneratedAlways } from "kysely";

/** int8 arrives as a string: it may be larger than a number holds. */
type BigIntText = string;

export interface AuditHeadsTable {
  organization_id: string;
  seq: BigIntText;
  hash: Buffer;
}

/** Written by the function audit_append only. */
export interface AuditEntriesTable {
  organization_id: string;
  seq: BigIntText;
  at: Date;
  body: string;
  prev_hash: Buffer;
  hash: Buffer;
  action: GeneratedAlways<string>;
  actor_id: GeneratedAlways<string | null>;
}

export interface AuditSigningKeysTable {
  id: string;
  format: number;
  kek_id: string;
  wrapped_dek: Buffer;
  ciphertext: Buffer;
  created_at: Date;
  retired_at: Date | null;
}

export interface AuditSignedHeadsTable {
  organization_id: string;
  seq: BigIntText;
  hash: Buffer;
  signed_at: Date;
  key_id: string;
  signature: Buffer;
}
