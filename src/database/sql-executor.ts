import { CompiledQuery } from "kysely";
import type { SqlExecutor } from "#platform";
import type { Database, DatabaseTransaction } from "./database.ts";

/** Lets jobs be enqueued inside `tx`, so that they exist if and only if it commits. */
export function sqlExecutor(tx: DatabaseTransaction | Database): SqlExecutor {
  return {
    async executeSql(text, values = []) {
      const { rows } = await tx.executeQuery(CompiledQuery.raw(text, values));
      return { rows };
    },
  };
}
