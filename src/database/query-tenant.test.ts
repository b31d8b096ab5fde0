import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { sql } from "kysely";
import { queryTenant, withTenant } from "#database";
import { createLog, createScrubber } from "#platform";
import { createTestDatabase, type TestDatabase } from "../../test/support/database.ts";
import { openKysely, openPool } from "./pool.ts";

const LOCAL = "00000000-0000-7000-8000-000000000001";
const log = createLog({ level: "silent", format: "json", scrubber: createScrubber() });
const OTHER = "00000000-0000-7000-8000-000000000002";

function addChannelless(id: string, organizationId: string) {
  return sql`insert into conversations (id, organization_id, surface, external_key)
    values (${id}, ${organizationId}, 'grpc', ${id})`;
}

function failToBegin(): never {
  throw new Error("not even begun");
}

function whereabouts({ db }: TestDatabase, organizationId: string) {
  return queryTenant(db, organizationId, (tx) =>
    sql<{ id: string; of: string }>`select pg_current_xact_id()::text as id,
      current_setting('app.organization_id') as of`.execute(tx),
  );
}

describe("A tenant transaction that goes out together", () => {
  let database: TestDatabase;
  before(async () => {
    database = await createTestDatabase();
    await sql`insert into organizations (id, name, slug) values (${OTHER}, 'Other', 'other')`.execute(
      database.db,
    );
  });
  after(() => database[Symbol.asyncDispose]());

  async function count(id: string): Promise<number> {
    const { rows } = await sql`select 1 from conversations where id = ${id}`.execute(database.db);
    return rows.length;
  }

  it("commits all of its statements", async () => {
    const ids = [crypto.randomUUID(), crypto.randomUUID()] as const;

    await queryTenant(database.db, LOCAL, (tx) =>
      Promise.all(ids.map((id) => addChannelless(id, LOCAL).execute(tx))),
    );

    assert.deepEqual(await Promise.all(ids.map(count)), [1, 1]);
  });

  it("keeps none of them when one fails, and says why", async () => {
    const id = crypto.randomUUID();

    const failing = queryTenant(database.db, LOCAL, (tx) =>
      Promise.all([addChannelless(id, LOCAL).execute(tx), sql`select 1 / 0`.execute(tx)]),
    );

    await assert.rejects(failing, /division by zero/);
    assert.equal(await count(id), 0);
  });

  it("is held to its organization", async () => {
    const id = crypto.randomUUID();

    const trespass = queryTenant(database.db, LOCAL, (tx) => addChannelless(id, OTHER).execute(tx));

    await assert.rejects(trespass, /row-level security/);
    assert.equal(await count(id), 0);
  });

  it("refuses a statement that waited for another", async () => {
    const late = queryTenant(database.db, LOCAL, async (tx) => {
      await sql`select 1`.execute(tx);
      await sql`select 2`.execute(tx);
    });

    await assert.rejects(late, /after its transaction was sent/);
  });

  it("gives the connection back when its work fails before the first statement", async () => {
    const pool = openPool({ ...database, sizeMax: 1, applicationName: "one", log });
    const single = openKysely(pool);

    await assert.rejects(queryTenant(single, LOCAL, failToBegin), /not even begun/);
    const { rows } = await queryTenant(single, LOCAL, (tx) =>
      sql<{ value: number }>`select 1 as value`.execute(tx),
    );

    await single.destroy();
    assert.deepEqual(rows, [{ value: 1 }]);
  });

  it("shares a transaction with others of its organization that come at the same time", async () => {
    const works = Array.from({ length: 4 }, () => whereabouts(database, LOCAL));

    const ids = (await Promise.all(works)).map(({ rows }) => rows[0]?.id);

    assert.equal(new Set(ids).size, 1);
  });

  it("shares none with another organization", async () => {
    const [ours, theirs] = await Promise.all([
      whereabouts(database, LOCAL),
      whereabouts(database, OTHER),
    ]);

    assert.deepEqual([ours.rows[0]?.of, theirs.rows[0]?.of], [LOCAL, OTHER]);
    assert.notEqual(ours.rows[0]?.id, theirs.rows[0]?.id);
  });

  it("does not fail with another that does", async () => {
    const ids = [crypto.randomUUID(), crypto.randomUUID()] as const;

    const outcomes = await Promise.allSettled([
      queryTenant(database.db, LOCAL, (tx) => addChannelless(ids[0], LOCAL).execute(tx)),
      queryTenant(database.db, LOCAL, (tx) => sql`select 1 / 0`.execute(tx)),
      queryTenant(database.db, LOCAL, (tx) => addChannelless(ids[1], LOCAL).execute(tx)),
    ]);

    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ["fulfilled", "rejected", "fulfilled"],
    );
    assert.deepEqual(await Promise.all(ids.map(count)), [1, 1]);
  });

  it("keeps what others did when one fails in our own code", async () => {
    const id = crypto.randomUUID();
    let runs = 0;

    const outcomes = await Promise.allSettled([
      queryTenant(database.db, LOCAL, (tx) => {
        runs++;
        return addChannelless(id, LOCAL).execute(tx);
      }),
      queryTenant(database.db, LOCAL, () => {
        throw new Error("A bug.");
      }),
    ]);

    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ["fulfilled", "rejected"],
    );
    assert.equal(await count(id), 1);
    assert.equal(runs, 1);
  });

  it("leaves the connection usable, whatever happened on it", async () => {
    const works = Array.from({ length: 30 }, (_, index) =>
      queryTenant(database.db, LOCAL, (tx) =>
        (index % 3 === 0 ? sql`select 1 / 0` : sql`select 1`).execute(tx),
      ).catch(() => undefined),
    );
    await Promise.all(works);

    const { rows } = await withTenant(database.db, LOCAL, (tx) =>
      sql<{ who: string }>`select current_user as who`.execute(tx),
    );

    assert.equal(rows[0]?.who, "infragpt_app");
  });
});
