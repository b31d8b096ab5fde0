import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { sql } from "kysely";
import { Client } from "pg";
import { createLog, createScrubber } from "#platform";
import { testServer } from "../../test/support/database.ts";
import { migrate } from "./migrate.ts";
import { openKysely, openPool } from "./pool.ts";
import { withSystem, withTenant } from "./with-tenant.ts";

const log = createLog({ level: "silent", format: "json", scrubber: createScrubber() });
const ORGANIZATION_ID = "00000000-0000-7000-8000-000000000001";

test("walls off organizations where the database user is no superuser", async () => {
  await using server = await aManagedDatabase({ mayTakeOnRole: true });
  const { db } = server;
  await migrate(db, { log });
  await withSystem(db, "a test", (tx) =>
    tx.insertInto("organizations").values({ id: OTHER_ID, name: "Other", slug: "other" }).execute(),
  );

  const [forTenant, forSystem] = await Promise.all([
    withTenant(db, ORGANIZATION_ID, (tx) => tx.selectFrom("organizations").select("id").execute()),
    withSystem(db, "a test", (tx) => tx.selectFrom("organizations").select("id").execute()),
  ]);
  const { rows } = await withTenant(db, ORGANIZATION_ID, (tx) =>
    sql`select audit_append(${ORGANIZATION_ID}::uuid, now(), '{"action":"x"}') as seq`.execute(tx),
  );

  assert.deepEqual(forTenant, [{ id: ORGANIZATION_ID }]);
  assert.equal(forSystem.length, 2);
  assert.deepEqual(rows, [{ seq: "1" }]);
});

test("says what an administrator has to do where the user may not take on the role", async () => {
  await using server = await aManagedDatabase({ mayTakeOnRole: false });

  await assert.rejects(migrate(server.db, { log }), {
    code: "42501",
    hint: /create role infragpt_app nologin; grant infragpt_app to "?managed_/,
  });
});

const OTHER_ID = "00000000-0000-7000-8000-000000000009";

/** A database as a hosting company gives it: its owner is an ordinary user. */
async function aManagedDatabase({ mayTakeOnRole }: { readonly mayTakeOnRole: boolean }) {
  const server = testServer();
  const name = `managed_${randomBytes(8).toString("hex")}`;
  const password = randomBytes(16).toString("hex");
  const admin = new Client(server);
  await admin.connect();
  await admin.query(`create role ${name} login password '${password}'`);
  if (mayTakeOnRole) await admin.query(`grant infragpt_app to ${name}`);
  await admin.query(`create database ${name} owner ${name}`);
  const connection = { ...server, user: name, password, database: name };
  const db = openKysely(openPool({ connection, sizeMax: 3, applicationName: name, log }));
  return {
    db,
    async [Symbol.asyncDispose]() {
      await db.destroy();
      await admin.query(`drop database ${name} with (force)`);
      await admin.query(`drop role ${name}`);
      await admin.end();
    },
  };
}
