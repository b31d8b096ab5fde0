import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "kysely";
import { createLog, createScrubber } from "#platform";
import { createTestDatabase } from "../../test/support/database.ts";
import { migrate, type Migration } from "./migrate.ts";
import { migrations } from "./migrations/index.ts";

const log = createLog({ level: "silent", format: "json", scrubber: createScrubber() });
const next: Migration = { name: "9000-next", sql: "create table next_table (id uuid primary key)" };

test("applies a step once when two replicas migrate at the same moment", async () => {
  await using database = await createTestDatabase();
  const steps = [...migrations, next];

  const applied = await Promise.all([
    migrate(database.db, { log, migrations: steps }),
    migrate(database.ingestDb, { log, migrations: steps }),
  ]);

  assert.deepEqual(applied.flat(), ["9000-next"]);
});

test("refuses a database that a newer build migrated, naming what it does not know", async () => {
  await using database = await createTestDatabase();
  await migrate(database.db, { log, migrations: [...migrations, next] });

  await assert.rejects(migrate(database.db, { log }), { code: "conflict", message: /9000-next/ });
});

test("refuses a merged migration that was edited", async () => {
  await using database = await createTestDatabase();
  await migrate(database.db, { log, migrations: [...migrations, next] });
  const edited = { ...next, sql: `${next.sql};` };

  const again = migrate(database.db, { log, migrations: [...migrations, edited] });

  await assert.rejects(again, { code: "conflict", message: /9000-next/ });
});

test("leaves nothing of a step that fails half-way", async () => {
  await using database = await createTestDatabase();
  const broken = { name: "9000-broken", sql: "create table half (id uuid); select 1 / 0" };

  await assert.rejects(migrate(database.db, { log, migrations: [...migrations, broken] }));

  const { rows } = await sql<{ found: string | null }>`
    select to_regclass('half') as found`.execute(database.db);
  assert.deepEqual(rows, [{ found: null }]);
});
