import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, test } from "node:test";
import { withSystem, withTenant } from "#database";
import { createScrubber } from "#platform";
import { createTestDatabase } from "../../test/support/database.ts";
import { bodyOf } from "./append-entry.ts";
import { aKeyring, anAudit, anEntry, execute, ORGANIZATION_ID } from "./testing.ts";

const database = await createTestDatabase();
after(() => database[Symbol.asyncDispose]());
const { db } = database;
const audit = anAudit({ db, keyring: await aKeyring() });
const { signal } = new AbortController();

test("keeps a chain without gap or fork when 200 acts meet in one organization", async () => {
  const organizationId = randomUUID();

  await Promise.all(range(200).map(() => append(organizationId)));

  assert.deepEqual(await audit.verify(organizationId, { signal }), { ok: true, rows: 200 });
});

test("keeps eight chains apart when 200 acts meet in eight organizations", async () => {
  const organizationIds = range(8).map(() => randomUUID());

  await Promise.all(range(200).map((n) => append(organizationIds[n % 8]!)));

  const verified = await Promise.all(organizationIds.map((id) => audit.verify(id, { signal })));
  assert.deepEqual(
    verified,
    range(8).map(() => ({ ok: true, rows: 25 })),
  );
});

test("leaves no gap where an act is rolled back", async () => {
  const organizationId = randomUUID();
  await append(organizationId);

  await assert.rejects(
    withTenant(db, organizationId, async (tx) => {
      await audit.append(tx, anEntry({ organizationId }));
      throw new Error("the act failed");
    }),
  );
  await append(organizationId);

  assert.deepEqual(await audit.verify(organizationId, { signal }), { ok: true, rows: 2 });
});

test("computes in the database the hash that is documented", async () => {
  const organizationId = randomUUID();
  const details = { text: 'quotes " and \\ and €, 😀, \u0000 and half of a pair \ud800' };

  await append(organizationId, { details });

  assert.deepEqual(await audit.verify(organizationId, { signal }), { ok: true, rows: 1 });
});

test("keeps no secret, whichever field it came in", () => {
  const secret = `xoxb-${"1".repeat(12)}-abcdefghijkl`;

  const body = bodyOf(
    anEntry({ details: { note: `uses ${secret}`, password: "hunter2!", [secret]: 1 } }),
    createScrubber(),
  );

  assert.doesNotMatch(body, /xoxb-1|hunter2/);
  assert.match(body, /\[secret\]/);
});

test("keeps hash and size in place of details that are too large", () => {
  const details = Object.fromEntries(range(50).map((n) => [`field_${n}`, "x".repeat(2_000)]));

  const body: unknown = JSON.parse(bodyOf(anEntry({ details }), createScrubber()));

  assert.match(JSON.stringify(body), /"details":\{"sha256":"[0-9a-f]{64}","size_bytes":5\d{4}\}/);
});

test("refuses to change, delete or truncate what was written, for the owner too", async () => {
  await append(ORGANIZATION_ID);
  await audit.signHeads({ signal });
  const statements = [
    "update audit_entries set body = '{}'",
    "delete from audit_entries",
    "truncate audit_entries",
    "update audit_heads set seq = 0",
    "delete from audit_heads",
    "truncate audit_heads",
    "update audit_signed_heads set seq = 0",
    "delete from audit_signed_heads",
    "truncate audit_signed_heads",
  ];

  for (const statement of statements) {
    await assert.rejects(execute(database.connection, [statement]), { code: "42501" }, statement);
  }
});

function append(organizationId: string, entry: Parameters<typeof anEntry>[0] = {}): Promise<void> {
  return withSystem(db, "a test", (tx) => audit.append(tx, anEntry({ ...entry, organizationId })));
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}
