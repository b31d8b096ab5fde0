// The contract of this room; see open.ts and with-tenant.ts.
import type { Kysely, Transaction } from "kysely";
import type { Tables } from "./tables/index.ts";

export type Database = Kysely<Tables>;
export type DatabaseTransaction = Transaction<Tables>;
