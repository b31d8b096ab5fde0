import { createHash } from "node:crypto";
import { sql } from "kysely";
import { AppError, type Log } from "#platform";
import type { Database, DatabaseTransaction } from "./database.ts";
import { migrations as ours } from "./migrations/index.ts";

/** One forward step, run in a transaction of its own. */
export interface Migration {
  /** "0001-foundation"; also its order. */
  readonly name: string;
  readonly sql: string;
}

interface MigrateOptions {
  readonly log: Log;
  /** This build's own migrations, unless a test brings others. */
  readonly migrations?: readonly Migration[];
}

// Any number, the same in every replica: "infragpt" on a telephone's keys.
const LOCK_KEY = 46372478;

/**
 * Brings the schema up to this build's and returns the names of the steps it applied. Safe to run
 * from several replicas at once: the others wait, then find nothing to do. Throws AppError
 * ("conflict") when the database was migrated by a newer build or a merged migration was edited.
 */
export async function migrate(
  db: Database,
  { log, migrations = ours }: MigrateOptions,
): Promise<string[]> {
  return db.connection().execute(async (session) => {
    // Another replica's migration may take longer than a statement of ours is meant to.
    await sql`set statement_timeout = 0`.execute(session);
    await sql`select pg_advisory_lock(${LOCK_KEY}::bigint)`.execute(session);
    try {
      return await applyMissing(session, log, migrations);
    } finally {
      await sql`select pg_advisory_unlock(${LOCK_KEY}::bigint)`.execute(session);
      await sql`reset statement_timeout`.execute(session);
    }
  });
}

async function applyMissing(
  session: Database,
  log: Log,
  migrations: readonly Migration[],
): Promise<string[]> {
  await sql`
    create table if not exists schema_migrations (
      name text primary key,
      checksum text not null,
      applied_at timestamptz not null default now()
    )`.execute(session);
  const { rows } = await sql<{ name: string; checksum: string }>`
    select name, checksum from schema_migrations order by name`.execute(session);
  const applied = new Map(rows.map((row) => [row.name, row.checksum]));
  refuseNewerSchema(applied, migrations);
  const names: string[] = [];
  for (const migration of migrations) {
    const checksum = applied.get(migration.name);
    if (checksum === checksumOf(migration)) continue;
    if (checksum !== undefined) throw editedMigration(migration.name);
    await session.transaction().execute((tx) => applyOne(tx, migration));
    log.info({ migration: migration.name }, "migration applied");
    names.push(migration.name);
  }
  return names;
}

async function applyOne(tx: DatabaseTransaction, migration: Migration): Promise<void> {
  await sql.raw(migration.sql).execute(tx);
  await sql`
    insert into schema_migrations (name, checksum)
    values (${migration.name}, ${checksumOf(migration)})`.execute(tx);
}

function refuseNewerSchema(
  applied: ReadonlyMap<string, string>,
  migrations: readonly Migration[],
): void {
  const known = new Set(migrations.map(({ name }) => name));
  const unknown = [...applied.keys()].filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  throw new AppError(
    "conflict",
    `The database is newer than this build: it has ${unknown.join(", ")}, which this build does not know. Run the newer build, or restore the database from before it.`,
    { details: { unknown } },
  );
}

function editedMigration(name: string): AppError {
  return new AppError(
    "conflict",
    `Migration ${name} was applied to this database with another text. A merged migration is never edited: restore its text and write the next one.`,
    { details: { migration: name } },
  );
}

function checksumOf(migration: Migration): string {
  return createHash("sha256").update(migration.sql).digest("hex");
}
