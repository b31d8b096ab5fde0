import type { Pool } from "pg";
import { AppError, createBatches, isUuid, type Batches } from "#platform";
import type { Database, DatabaseTransaction } from "./database.ts";
import { executeTogether } from "./execute-together.ts";

/** The role of tenant transactions; migration 0004 makes it. */
export const TENANT_ROLE = "infragpt_app";

/** Works that share a transaction: a longer one holds its locks longer and saves little more. */
const WORKS_MAX = 16;
/** Transactions of one organization under way at once, so that those behind them gather. */
const TOGETHER_MAX = 3;

/** Where the tenant transactions of a database run. */
interface Tenants {
  readonly db: Database;
  /** By organization. */
  readonly together: Batches<(tx: DatabaseTransaction) => Promise<unknown>, unknown>;
}

const tenantsOf = new WeakMap<Database, Tenants>();

export function registerTenants(db: Database, tenants: { db: Database; pool: Pool }): void {
  const { pool } = tenants;
  tenantsOf.set(db, {
    db: tenants.db,
    together: createBatches({
      itemsMax: WORKS_MAX,
      inFlightMax: TOGETHER_MAX,
      run: async (organizationId, works) =>
        executeTogether(pool, tenantSettings(organizationId), works),
    }),
  });
}

export function tenantsOfDatabase(db: Database): Tenants {
  const tenants = tenantsOf.get(db);
  if (tenants) return tenants;
  throw new Error("The database was not opened by this room.");
}

/** What makes a transaction one organization's. */
export function tenantSettings(organizationId: string): string {
  // It is written into the statement, because several at once cannot have parameters.
  if (!isUuid(organizationId)) throw new AppError("not_found", "There is no such organization.");
  return `set local role ${TENANT_ROLE}; set local app.organization_id = '${organizationId}'`;
}
