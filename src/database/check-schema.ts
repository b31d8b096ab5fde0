import { sql } from "kysely";
import type { Database } from "./database.ts";
import { migrations } from "./migrations/index.ts";

export interface SchemaState {
  /** Steps of this build that the database has not seen. */
  readonly missing: readonly string[];
  /** Steps that only a newer build knows. */
  readonly unknown: readonly string[];
}

/** Compares the schema with this build's, and changes nothing. */
export async function checkSchema(db: Database): Promise<SchemaState> {
  const { rows: tables } = await sql<{ name: string | null }>`
    select to_regclass('schema_migrations')::text as name`.execute(db);
  const known = migrations.map(({ name }) => name);
  if (!tables[0]?.name) return { missing: known, unknown: [] };
  const { rows } = await sql<{ name: string }>`
    select name from schema_migrations order by name`.execute(db);
  const applied = new Set(rows.map(({ name }) => name));
  return {
    missing: known.filter((name) => !applied.has(name)),
    unknown: [...applied].filter((name) => !known.includes(name)),
  };
}
