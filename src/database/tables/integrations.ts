import type { Generated, JSONColumnType } from "kysely";

export interface IntegrationsTable {
  id: string;
  organization_id: string;
  user_id: string | null;
  connector_type: string;
  label: Generated<string>;
  status: Generated<"active" | "inactive" | "pending" | "not_started" | "suspended" | "deleted">;
  bot_id: string | null;
  connector_user_id: string | null;
  connector_organization_id: string;
  metadata: JSONColumnType<Record<string, string>, string | undefined>;
  health_status: Generated<"healthy" | "degraded" | "expired" | "revoked" | "unknown">;
  health_detail: string | null;
  health_checked_at: Date | null;
  last_success_at: Date | null;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
  last_used_at: Date | null;
}

export interface IntegrationCredentialsTable {
  id: string;
  organization_id: string;
  integration_id: string;
  credential_type: string;
  version: number;
  format: Generated<number>;
  kek_id: string;
  wrapped_dek: Buffer;
  ciphertext: Buffer;
  created_at: Generated<Date>;
  rotated_at: Date | null;
  expires_at: Date | null;
}

export interface KeyCanariesTable {
  kek_id: string;
  sealed: Buffer;
  created_at: Generated<Date>;
}

export interface InboxTable {
  id: string;
  organization_id: string | null;
  connector_type: string;
  account_id: string;
  delivery_id: string;
  message_key: string | null;
  order_key: string;
  kind: string;
  body: Buffer;
  state: Generated<"stored" | "handled" | "ignored" | "dead">;
  detail: string | null;
  received_at: Generated<Date>;
  handled_at: Date | null;
}
