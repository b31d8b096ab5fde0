import type { Pool } from "pg";
import type { Database } from "./database.ts";

/** The role of tenant transactions; migration 0004 makes it. */
export const TENANT_ROLE = "infragpt_app";

/** Where the tenant transactions of a database run. */
interface Tenants {
  readonly db: Database;
  readonly pool: Pool;
}

const tenantsOf = new WeakMap<Database, Tenants>();

export function registerTenants(db: Database, tenants: Tenants): void {
  tenantsOf.set(db, tenants);
}

export function tenantsOfDatabase(db: Database): Tenants {
  const tenants = tenantsOf.get(db);
  if (tenants) return tenants;
  throw new Error("The database was not opened by this room.");
}
