import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, test } from "node:test";
import { sql } from "kysely";
import { createIds, createJobs, createLog, createScrubber } from "#platform";
import { createTestDatabase } from "../../test/support/database.ts";
import type { Database, DatabaseTransaction } from "./database.ts";
import { openKysely, openPool } from "./pool.ts";
import { sqlExecutor } from "./sql-executor.ts";
import { withSystem, withTenant } from "./with-tenant.ts";

const database = await createTestDatabase();
after(() => database[Symbol.asyncDispose]());
const { db } = database;
const log = createLog({ level: "silent", format: "json", scrubber: createScrubber() });
const ids = createIds();

test("never mixes two organizations when 200 requests alternate on a pool of two", async () => {
  const organizations = [await anOrganization(), await anOrganization()];
  for (const id of organizations) await anIntegration(id);
  const pool = openPool({
    connection: database.connection,
    sizeMax: 2,
    applicationName: "two",
    log,
  });
  const small = openKysely(pool);

  const seen = await Promise.all(
    Array.from({ length: 200 }, (_, n) =>
      withTenant(small, organizations[n % 2]!, async (tx) => {
        const first = await organizationsOf(tx);
        if (n % 7 === 0) await sql`select pg_sleep(0.002)`.execute(tx);
        return [...first, ...(await organizationsOf(tx))];
      }),
    ),
  );

  await small.destroy();
  seen.forEach((rows, n) => assert.deepEqual(rows, [organizations[n % 2], organizations[n % 2]]));
});

test("shows no row to the tenant role where no organization is set", async () => {
  await anIntegration(await anOrganization());

  const rows = await db.transaction().execute(async (tx) => {
    await sql`set local role infragpt_app`.execute(tx);
    return organizationsOf(tx);
  });

  assert.deepEqual(rows, []);
});

test("leaves nothing of an organization on a connection that goes back to the pool", async () => {
  const pool = openPool({ ...database, sizeMax: 1, applicationName: "one", log });
  const single = openKysely(pool);
  const organizationId = await anOrganization();

  await withTenant(single, organizationId, organizationsOf);
  await assert.rejects(withTenant(single, organizationId, () => Promise.reject(new Error("no"))));
  const { rows } = await sql`
    select current_user = session_user as is_owner, current_organization_id() as organization`.execute(
    single,
  );

  await single.destroy();
  assert.deepEqual(rows, [{ is_owner: true, organization: null }]);
});

test("refuses to write a row of another organization, or to move one there", async () => {
  const [mine, other] = [await anOrganization(), await anOrganization()];
  await anIntegration(mine);

  const inserting = withTenant(db, mine, (tx) => insertIntegration(tx, other));
  await assert.rejects(inserting, { code: "42501" });
  const moving = withTenant(db, mine, (tx) =>
    tx.updateTable("integrations").set({ organization_id: other }).execute(),
  );
  await assert.rejects(moving, { code: "42501" });
});

test("changes and deletes no row of another organization", async () => {
  const [mine, other] = [await anOrganization(), await anOrganization()];
  await anIntegration(other);

  const touched = await withTenant(db, mine, async (tx) => {
    const updated = await tx.updateTable("integrations").set({ label: "x" }).executeTakeFirst();
    const deleted = await tx.deleteFrom("integrations").executeTakeFirst();
    return [updated.numUpdatedRows, deleted.numDeletedRows];
  });

  assert.deepEqual(touched, [0n, 0n]);
});

test("shows a delivery that nobody owns yet to the system only", async () => {
  const organizationId = await anOrganization();
  const row = { id: ids(), connector_type: "slack", account_id: "T1", delivery_id: ids() };
  const rest = { order_key: "k", kind: "event", body: Buffer.from("{}") };
  await withSystem(db, "a test", (tx) =>
    tx
      .insertInto("inbox")
      .values({ ...row, ...rest })
      .execute(),
  );

  const [forTenant, forSystem] = await Promise.all([
    withTenant(db, organizationId, countInbox),
    withSystem(db, "a test", countInbox),
  ]);

  assert.deepEqual([forTenant, forSystem], [0, 1]);
});

test("runs no statement for an organization whose id is none", async () => {
  const injected = `${randomUUID()}'; reset role; --`;

  await assert.rejects(withTenant(db, injected, organizationsOf), { code: "not_found" });
});

test("cannot write the audit log but through its function, and there its own chain only", async () => {
  const [mine, other] = [await anOrganization(), await anOrganization()];
  function appendTo(organizationId: string) {
    return withTenant(db, mine, (tx) =>
      sql`select audit_append(${organizationId}::uuid, now(), '{"action":"x"}')`.execute(tx),
    );
  }
  const forged = [
    `insert into audit_entries (organization_id, seq, at, body, prev_hash, hash)
     values ('${mine}', 9, now(), '{"action":"x"}', '', '')`,
    "update audit_entries set seq = 9",
    "delete from audit_entries",
    "truncate audit_entries",
    "update audit_heads set seq = 9",
    "insert into audit_signed_heads select * from audit_signed_heads",
    "select * from audit_signing_keys",
  ];

  await appendTo(mine);

  await assert.rejects(appendTo(other), { code: "42501" });
  for (const statement of forged) {
    const run = withTenant(db, mine, (tx) => sql.raw(statement).execute(tx));
    await assert.rejects(run, { code: "42501" }, statement);
  }
});

test("enqueues jobs in a tenant transaction, which sees no job", async () => {
  const organizationId = await anOrganization();
  const jobs = createJobs({ connection: database.connection, log });
  const { promise: handled, resolve } = Promise.withResolvers<unknown>();
  const limits = { concurrencyMax: 1, retriesMax: 0, retryDelaySeconds: 1 };
  const queue = jobs.define<{ readonly n: number }>({
    name: "tenant-test",
    isOrdered: true,
    ...limits,
    retryDelaySecondsMax: 1,
    runSecondsMax: 10,
    handle: async ({ data }) => resolve(data),
  });
  await jobs.start();

  await withTenant(db, organizationId, (tx) =>
    queue.enqueue(sqlExecutor(tx), [{ id: ids(), key: "k", data: { n: 7 } }]),
  );
  queue.wake();

  assert.deepEqual(await handled, { n: 7 });
  const reading = withTenant(db, organizationId, (tx) =>
    sql`select data from pgboss.job`.execute(tx),
  );
  await assert.rejects(reading, { code: "42501" });
  await jobs.stop({ graceMs: 1_000 });
});

async function anOrganization(): Promise<string> {
  const id = ids();
  await withSystem(db, "a test", (tx) =>
    tx.insertInto("organizations").values({ id, name: id, slug: id }).execute(),
  );
  return id;
}

async function anIntegration(organizationId: string): Promise<void> {
  await withTenant(db, organizationId, (tx) => insertIntegration(tx, organizationId));
}

async function insertIntegration(tx: DatabaseTransaction, organizationId: string): Promise<void> {
  const id = ids();
  await tx
    .insertInto("integrations")
    .values({
      id,
      organization_id: organizationId,
      connector_type: "slack",
      connector_organization_id: id,
      metadata: "{}",
    })
    .execute();
}

async function organizationsOf(tx: Database | DatabaseTransaction): Promise<string[]> {
  const rows = await tx.selectFrom("integrations").select("organization_id").execute();
  return rows.map((row) => row.organization_id);
}

async function countInbox(tx: DatabaseTransaction): Promise<number> {
  return (await tx.selectFrom("inbox").select("id").execute()).length;
}
