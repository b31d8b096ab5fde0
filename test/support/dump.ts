import { CompiledQuery } from "kysely";
import type { Database } from "#database";

/** Every row of every table, the jobs' too: as text, and what is bytes as it is. */
export async function dumpOf(db: Database): Promise<Buffer> {
  const columns = await query<{ place: string; name: string; is_bytes: boolean }>(
    db,
    `select format('%I.%I', table_schema, table_name) as place, quote_ident(column_name) as name,
       data_type = 'bytea' as is_bytes
     from information_schema.columns
     where table_schema not in ('pg_catalog', 'information_schema')`,
  );
  const parts: Buffer[] = [];
  for (const { place, name, is_bytes: isBytes } of columns) {
    const value = isBytes ? name : `convert_to(${name}::text, 'UTF8')`;
    const rows = await query<{ value: Buffer | null }>(
      db,
      `select ${value} as value from ${place}`,
    );
    for (const row of rows) if (row.value) parts.push(row.value, Buffer.from("\n"));
  }
  return Buffer.concat(parts);
}

async function query<Row>(db: Database, text: string): Promise<readonly Row[]> {
  const { rows } = await db.executeQuery<Row>(CompiledQuery.raw(text));
  return rows;
}
