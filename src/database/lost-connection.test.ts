import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { sql } from "kysely";
import { createLog, createScrubber } from "#platform";
import {
  createTestDatabase,
  onTestServer,
  type TestDatabase,
} from "../../test/support/database.ts";
import type { Database } from "./database.ts";
import { openKysely, openPool } from "./pool.ts";
import { queryTenant, withSystem, withTenant } from "./with-tenant.ts";

const LOCAL = "00000000-0000-7000-8000-000000000001";
const ADMIN_SHUTDOWN = "57P01";

/** A database with one connection, and what its log says. */
function single({ connection }: TestDatabase): {
  readonly db: Database;
  /** Resolves with the first line of the log. */
  readonly said: Promise<string>;
} & AsyncDisposable {
  const { promise: said, resolve } = Promise.withResolvers<string>();
  const log = createLog({
    level: "warn",
    format: "json",
    scrubber: createScrubber(),
    destination: { write: resolve },
  });
  const db = openKysely(openPool({ connection, sizeMax: 1, applicationName: "single", log }));
  return { db, said, [Symbol.asyncDispose]: () => db.destroy() };
}

const cutOwn = sql`select pg_terminate_backend(pg_backend_pid())`;
// The tenant role may not cut connections.
const resetRole = sql`reset role`;
const one = sql<{ value: number }>`select 1 as value`;

async function works(db: Database): Promise<void> {
  const { rows } = await withSystem(db, "a test", (tx) => one.execute(tx));
  assert.deepEqual(rows, [{ value: 1 }]);
}

// Whatever nobody handles fails these tests by itself: the runner reports it.
describe("a database connection that breaks in use", () => {
  let database: TestDatabase;
  before(async () => {
    database = await createTestDatabase();
  });
  after(() => database[Symbol.asyncDispose]());

  it("fails the transaction on it with the server's word, and no other", async () => {
    await using opened = single(database);
    const { db } = opened;

    const asSystem = withSystem(db, "a test", (tx) => cutOwn.execute(tx));
    await assert.rejects(asSystem, { code: ADMIN_SHUTDOWN });
    const asTenant = withTenant(db, LOCAL, async (tx) => {
      await resetRole.execute(tx);
      await cutOwn.execute(tx);
    });
    await assert.rejects(asTenant, { code: ADMIN_SHUTDOWN });

    await works(db);
  });

  it("fails the statements that went out together, and no more than them", async () => {
    await using opened = single(database);
    const { db } = opened;

    const together = queryTenant(db, LOCAL, (tx) =>
      Promise.all([resetRole.execute(tx), cutOwn.execute(tx), one.execute(tx)]),
    );

    await assert.rejects(together, { code: ADMIN_SHUTDOWN });
    await works(db);
  });

  it("fails the next statement when none was under way, and tells the log why", async () => {
    await using opened = single(database);
    const { db, said } = opened;

    const working = withSystem(db, "a test", async (tx) => {
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx);
      await onTestServer(`select pg_terminate_backend(${rows[0]?.pid})`);
      await said;
      await one.execute(tx);
    });

    await assert.rejects(working, /not queryable/);
    const { level, msg, err } = JSON.parse(await said);
    assert.deepEqual([level, msg], ["warn", "a database connection broke in use"]);
    assert.equal(err.code, ADMIN_SHUTDOWN);
    await works(db);
  });
});
