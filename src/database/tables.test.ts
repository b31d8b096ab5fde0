import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { sql } from "kysely";
import { createTestDatabase } from "../../test/support/database.ts";

/** What belongs to no organization, and why. */
const NOT_OF_A_TENANT: Readonly<Record<string, string>> = {
  organizations: "is the list of them",
  key_canaries: "proves keys, holds nobody's data",
  key_status: "says which replica holds which key",
  undecryptable_records: "names records by their ids, for operators",
  audit_signing_keys: "is the service's own",
  directory_deliveries: "is stored before anybody knows whose it is",
  users: "may belong to several",
};

test("every table and column that the code knows is there, and no other", async () => {
  await using database = await createTestDatabase();
  const { rows } = await sql<{ table_name: string; column_name: string }>`
    select table_name, column_name from information_schema.columns
    where table_schema = 'public' and table_name <> 'schema_migrations'`.execute(database.db);

  const live = rows.map((row) => `${row.table_name}.${row.column_name}`);
  const known = [...readTables()].flatMap(([table, columns]) =>
    columns.map((column) => `${table}.${column}`),
  );

  assert.ok(known.length > 50, "found too few columns: the check would pass on nothing");
  assert.deepEqual(live.toSorted(), known.toSorted());
});

test("every table with data of a tenant says whose it is", () => {
  const without = [...readTables()]
    .filter(([, columns]) => !columns.includes("organization_id"))
    .map(([table]) => table);

  assert.deepEqual(without.toSorted(), Object.keys(NOT_OF_A_TENANT).toSorted());
});

test("every reference between tables of a tenant stays within one organization", async () => {
  await using database = await createTestDatabase();

  const { rows } = await sql<{ constraint_name: string }>`
    select c.conname as constraint_name
    from pg_constraint c
    where c.contype = 'f' and c.connamespace = 'public'::regnamespace
      and exists (
        select from pg_attribute a
        where a.attrelid = c.confrelid and a.attname = 'organization_id'
      )
      and not exists (
        select from pg_attribute a
        where a.attrelid = c.conrelid and a.attnum = any (c.conkey) and a.attname = 'organization_id'
      )`.execute(database.db);

  assert.deepEqual(rows, []);
});

/** Table name to column names, read from the interfaces in tables/. */
function readTables(): Map<string, string[]> {
  const directory = join(import.meta.dirname, "tables");
  const source = globSync("*.ts", { cwd: directory })
    .map((file) => readFileSync(join(directory, file), "utf8"))
    .join("\n");
  const interfaces = new Map<string, string>();
  for (const [, name = "", body = ""] of source.matchAll(/interface (\w+) \{\n(.*?)\n\}/gs)) {
    interfaces.set(name, body);
  }
  const tables = interfaces.get("Tables") ?? "";
  return new Map(
    [...tables.matchAll(/^ {2}(\w+): (\w+);$/gm)].map(([, table = "", type = ""]) => [
      table,
      [...(interfaces.get(type) ?? "").matchAll(/^ {2}(\w+)\??:/gm)].map(
        ([, column = ""]) => column,
      ),
    ]),
  );
}
