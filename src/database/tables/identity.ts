import type { Generated } from "kysely";

export interface OrganizationsTable {
  id: string;
  clerk_org_id: string | null;
  name: string;
  slug: string;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

export interface ServiceTokensTable {
  id: string;
  organization_id: string;
  name: string;
  token_hash: Buffer;
  scopes: string[];
  created_at: Generated<Date>;
  expires_at: Date | null;
  revoked_at: Date | null;
  last_used_at: Date | null;
}
