import type { Generated } from "kysely";

export interface OrganizationsTable {
  id: string;
  clerk_org_id: string | null;
  name: string;
  slug: string;
  directory_version: string | null;
  deleted_at: Date | null;
  company_size: string | null;
  team_size: string | null;
  use_cases: Generated<string[]>;
  observability_stack: Generated<string[]>;
  metadata_completed_at: Date | null;
  first_connection_at: Date | null;
  first_answer_at: Date | null;
  allows_email_match: Generated<boolean>;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

export interface UsersTable {
  id: string;
  clerk_user_id: string | null;
  email: string | null;
  is_email_verified: Generated<boolean>;
  name: Generated<string>;
  directory_version: string | null;
  deleted_at: Date | null;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

export interface MembershipsTable {
  id: string;
  organization_id: string;
  user_id: string;
  clerk_membership_id: string | null;
  role: string;
  directory_version: string | null;
  deleted_at: Date | null;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

export interface RoleMappingsTable {
  id: string;
  organization_id: string;
  role: string;
  permissions: string[];
  updated_at: Generated<Date>;
}

export interface DirectoryDeliveriesTable {
  id: string;
  event_type: string;
  outcome: "applied" | "outdated" | "ignored";
  received_at: Date;
}

export interface LoginLinksTable {
  id: string;
  organization_id: string;
  user_id: string;
  token_hash: Buffer;
  created_at: Date;
  expires_at: Date;
  used_at: Date | null;
}

export interface LocalSessionsTable {
  id: string;
  organization_id: string;
  user_id: string;
  token_hash: Buffer;
  created_at: Date;
  expires_at: Date;
  ended_at: Date | null;
}

export interface ChatUsersTable {
  id: string;
  organization_id: string;
  integration_id: string;
  chat_user_id: string;
  chat_user_name: string;
  user_id: string;
  method: "link" | "email";
  created_at: Date;
}

export interface ChatLinksTable {
  id: string;
  organization_id: string;
  integration_id: string;
  chat_user_id: string;
  chat_user_name: string;
  workspace_name: string;
  token_hash: Buffer;
  created_at: Date;
  expires_at: Date;
  used_at: Date | null;
}

export interface ServiceTokensTable {
  id: string;
  organization_id: string;
  name: string;
  token_hash: Buffer;
  scopes: string[];
  created_by: string | null;
  created_at: Generated<Date>;
  expires_at: Date | null;
  revoked_at: Date | null;
  last_used_at: Date | null;
}
