export { checkSchema, type SchemaState } from "./check-schema.ts";
export type { Database, DatabaseTransaction } from "./database.ts";
export { migrate, type Migration } from "./migrate.ts";
export { openDatabase, type OpenDatabase, type OpenDatabaseOptions } from "./open.ts";
export type { ConnectionOptions } from "./pool.ts";
export { sqlExecutor } from "./sql-executor.ts";
export type { Tables } from "./tables/index.ts";
export { querySystem, queryTenant, withSystem, withTenant } from "./with-tenant.ts";
