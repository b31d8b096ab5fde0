import assert from "node:assert/strict";
import { after, test } from "node:test";
import { sql } from "kysely";
import { createTestDatabase } from "../../test/support/database.ts";

const database = await createTestDatabase();
after(() => database[Symbol.asyncDispose]());
const { db } = database;

/** Tables that belong to no organization: a tenant transaction has no right to them at all. */
const SYSTEM_TABLES = [
  "audit_signing_keys",
  "directory_deliveries",
  "key_canaries",
  "key_status",
  "schema_migrations",
  "undecryptable_records",
];

interface TableFacts {
  readonly name: string;
  readonly is_secured: boolean;
  readonly is_forced: boolean;
  readonly has_tenant_policy: boolean;
  readonly is_open: boolean;
}

test("every table is under forced row-level security, or out of the tenants' reach", async () => {
  const tables = await readTables();

  assert.ok(tables.length > 15, "found too few tables: the check would pass on nothing");
  const wrong = tables.filter(({ name, ...facts }) => {
    const { is_secured, is_forced, has_tenant_policy, is_open } = facts;
    if (SYSTEM_TABLES.includes(name)) return is_open;
    return !(is_secured && is_forced && has_tenant_policy);
  });
  assert.deepEqual(wrong, []);
});

test("finds a table that a migration forgot to secure", async () => {
  await sql`create table forgotten (id uuid primary key, organization_id uuid)`.execute(db);

  const forgotten = (await readTables()).find(({ name }) => name === "forgotten");

  assert.partialDeepStrictEqual(forgotten, { is_secured: false, has_tenant_policy: false });
  await sql`drop table forgotten`.execute(db);
});

test("every view asks with the rights of who reads it", async () => {
  const { rows } = await sql<{ name: string }>`
    select relname as name from pg_class
    where relnamespace = 'public'::regnamespace and (
      relkind = 'm'
      or relkind = 'v' and not coalesce('security_invoker=true' = any(reloptions), false)
    )`.execute(db);

  assert.deepEqual(rows, []);
});

test("the role of tenants owns nothing and bypasses nothing", async () => {
  const { rows } = await sql<object>`
    select rolsuper, rolbypassrls, rolcanlogin, rolcreaterole, rolcreatedb,
      (select count(*)::int from pg_shdepend where refobjid = pg_roles.oid and deptype = 'o') as owned
    from pg_roles where rolname = 'infragpt_app'`.execute(db);

  const no = { rolsuper: false, rolbypassrls: false, rolcanlogin: false, rolcreaterole: false };
  assert.deepEqual(rows, [{ ...no, rolcreatedb: false, owned: 0 }]);
});

async function readTables(): Promise<readonly TableFacts[]> {
  const { rows } = await sql<TableFacts>`
    select relname as name, relrowsecurity as is_secured, relforcerowsecurity as is_forced,
      exists (
        select from pg_policy
        where polrelid = pg_class.oid and polroles = array['infragpt_app'::regrole::oid]
          and polcmd = '*' and polpermissive
          and (polqual is not null and (polwithcheck is not null or relname = 'users'))
      ) as has_tenant_policy,
      has_any_column_privilege('infragpt_app', pg_class.oid, 'select, insert, update')
        or has_table_privilege('infragpt_app', pg_class.oid, 'delete, truncate') as is_open
    from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
    order by relname`.execute(db);
  return rows;
}
