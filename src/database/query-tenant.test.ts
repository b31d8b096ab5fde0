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
