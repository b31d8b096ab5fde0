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
  health_missing: Generated<string[]>;
  health_failures: Generated<number>;
  health_next_at: Generated<Date>;
  credential_type: "oauth2" | "token" | "service_account" | "api_key" | "role" | null;
  credentials_expire_at: Date | null;
  refresh_state: Generated<"idle" | "running" | "failed">;
  refresh_started_at: Date | null;
  refresh_after: Date | null;
  vendor_status_at: Date | null;
  synced_at: Date | null;
  sync_failure: string | null;
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

export interface AuthorizationStatesTable {
  id: string;
  organization_id: string;
  state_hash: Buffer;
  connector_type: string;
  label: Generated<string>;
  principal_id: string;
  user_id: string | null;
  browser_hash: Buffer;
  redirect_uri: string;
  external_id: string | null;
  format: number | null;
  kek_id: string | null;
  wrapped_dek: Buffer | null;
  ciphertext: Buffer | null;
  created_at: Date;
  expires_at: Date;
  used_at: Date | null;
}

export interface RevocationCredentialsTable {
  id: string;
  organization_id: string;
  integration_id: string;
  credential_type: string;
  version: number;
  format: number;
  kek_id: string;
  wrapped_dek: Buffer;
  ciphertext: Buffer;
  created_at: Date;
}

export interface IntegrationResourcesTable {
  organization_id: string;
  integration_id: string;
  external_id: string;
  kind: string;
  name: string;
  url: string | null;
  permissions: JSONColumnType<Record<string, string>, string | undefined>;
  metadata: JSONColumnType<Record<string, string>, string | undefined>;
  synced_at: Date;
}

export interface HealthCardsTable {
  integration_id: string;
  organization_id: string;
  id: string;
  chat_integration_id: string;
  channel_id: string;
  message_id: string | null;
  shown_status: string;
  created_at: Date;
  updated_at: Date;
}

export interface KeyCanariesTable {
  kek_id: string;
  sealed: Buffer;
  created_at: Generated<Date>;
  state: Generated<"pending" | "active" | "decrypt_only" | "retired">;
  makes_new_data_keys: Generated<boolean>;
  promoted_at: Date | null;
  retired_at: Date | null;
}

export interface KeyStatusTable {
  replica_id: string;
  host: string;
  primary_key_id: string;
  known_key_ids: string[];
  seen_at: Generated<Date>;
}

export interface UndecryptableRecordsTable {
  table_name: string;
  record_id: string;
  version: number;
  kek_id: string;
  found_at: Generated<Date>;
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
