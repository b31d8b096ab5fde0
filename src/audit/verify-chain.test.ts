import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, test } from "node:test";
import { createTestDatabase } from "../../test/support/database.ts";
import { aKeyring, anAudit, anEntry, tamper } from "./testing.ts";

const database = await createTestDatabase();
after(() => database[Symbol.asyncDispose]());
const { db } = database;
const keyring = await aKeyring();
const logLines: string[] = [];
const audit = anAudit({ db, keyring, logLines });
const { signal } = new AbortController();

const NULL_HASH = "decode(repeat('00', 32), 'hex')";

test("names a row that was edited", async () => {
  const id = await aChain(6);
  await tamper(database.connection, [
    `update audit_entries set body = replace(body, 'alice', 'mallory') where ${row(id, 4)}`,
  ]);

  assertBad(await audit.verify(id, { signal }), 4, /Row 4 was changed/);
});

test("names a row whose time was moved by a microsecond", async () => {
  const id = await aChain(3);
  await tamper(database.connection, [
    `update audit_entries set at = at + interval '1 microsecond' where ${row(id, 2)}`,
  ]);

  assertBad(await audit.verify(id, { signal }), 2, /Row 2 was changed/);
});

test("names the row after one that was edited and hashed again", async () => {
  const id = await aChain(6);
  await tamper(database.connection, [
    `update audit_entries set body = replace(body, 'alice', 'mallory') where ${row(id, 4)}`,
    `update audit_entries set hash = audit_hash(prev_hash, organization_id, seq, at, body) where ${row(id, 4)}`,
  ]);

  assertBad(await audit.verify(id, { signal }), 5, /Row 5 does not follow row 4/);
});

test("names a row that was deleted", async () => {
  const id = await aChain(6);
  await tamper(database.connection, [`delete from audit_entries where ${row(id, 3)}`]);

  assertBad(await audit.verify(id, { signal }), 3, /Row 3 is missing/);
});

test("names the first row that was deleted from the front", async () => {
  const id = await aChain(3);
  await tamper(database.connection, [`delete from audit_entries where ${row(id, 1)}`]);

  assertBad(await audit.verify(id, { signal }), 1, /Row 1 is missing/);
});

test("names the first of two rows that changed places", async () => {
  const id = await aChain(6);
  await tamper(database.connection, [
    `update audit_entries set seq = 100 where ${row(id, 2)}`,
    `update audit_entries set seq = 2 where ${row(id, 5)}`,
    `update audit_entries set seq = 5 where ${row(id, 100)}`,
  ]);

  assertBad(await audit.verify(id, { signal }), 2, /Row 2 was changed/);
});

test("names the first row of a tail that was cut", async () => {
  const id = await aChain(6);
  await tamper(database.connection, [`delete from audit_entries where ${rowsFrom(id, 5)}`]);

  assertBad(await audit.verify(id, { signal }), 5, /Rows 5 to 6 were cut off the end: the head/);
});

test("names a cut tail by the signed head when the head was set back as well", async () => {
  const id = await aChain(6);
  await audit.signHeads({ signal });
  await cutAfter(id, 4);

  const verified = await audit.verify(id, { signal });

  assertBad(verified, 5, /Rows 5 to 6 were cut off the end: the head signed at/);
});

test("names a cut tail that new rows grew over", async () => {
  const id = await aChain(6);
  await audit.signHeads({ signal });
  await cutAfter(id, 4);
  for (let n = 0; n < 5; n++) await audit.record(anEntry({ organizationId: id }));

  assertBad(await audit.verify(id, { signal }), 6, /Row 6 is not the one that was signed/);
});

test("names a chain that was deleted whole", async () => {
  const id = await aChain(3);
  await audit.signHeads({ signal });
  await tamper(database.connection, [
    `delete from audit_entries where organization_id = '${id}'`,
    `delete from audit_heads where organization_id = '${id}'`,
  ]);

  assertBad(await audit.verify(id, { signal }), 1, /Rows 1 to 3 were cut off the end/);
});

test("names a row that was put in behind the head", async () => {
  const id = await aChain(2);
  await tamper(database.connection, [
    `insert into audit_entries (organization_id, seq, at, body, prev_hash, hash)
     select organization_id, 3, at, body, hash, audit_hash(hash, organization_id, 3, at, body)
     from audit_entries where ${row(id, 2)}`,
  ]);

  assertBad(await audit.verify(id, { signal }), 3, /put in behind the head/);
});

test("does not believe a head that was signed with another key", async () => {
  const id = await aChain(3);
  await audit.signHeads({ signal });
  await tamper(database.connection, [
    `update audit_signed_heads set signature = decode(repeat('00', 64), 'hex') where organization_id = '${id}'`,
  ]);

  assertBad(await audit.verify(id, { signal }), 3, /The signature of the head at row 3 is false/);
});

test("shows by an earlier export a chain that was rewritten without a trace in the database", async () => {
  const id = await aChain(4);
  const knownHashes = new Map<number, string>();
  for await (const line of audit.export(id, { by: { kind: "local", id: "cli" } }, { signal })) {
    const { seq, hash }: { seq: number; hash: string } = JSON.parse(line);
    knownHashes.set(seq, hash);
  }
  await tamper(database.connection, [
    `delete from audit_signed_heads where organization_id = '${id}'`,
    `update audit_entries set body = replace(body, 'alice', 'mallory') where ${row(id, 3)}`,
    ...[3, 4, 5].flatMap((seq) => [
      `update audit_entries set prev_hash = (select hash from audit_entries where ${row(id, seq - 1)}) where ${row(id, seq)}`,
      `update audit_entries set hash = audit_hash(prev_hash, organization_id, seq, at, body) where ${row(id, seq)}`,
    ]),
    `update audit_heads set hash = (select hash from audit_entries where ${row(id, 5)}) where organization_id = '${id}'`,
  ]);

  assert.deepEqual(await audit.verify(id, { signal }), { ok: true, rows: 5 });
  assertBad(await audit.verify(id, { signal, knownHashes }), 3, /not the one that was exported/);
});

test("finds nothing wrong while rows are appended", async () => {
  const id = await aChain(600);
  const appending = new AbortController();
  const appended = (async () => {
    while (!appending.signal.aborted) await audit.record(anEntry({ organizationId: id }));
  })();

  for (let n = 0; n < 5; n++) {
    const verified = await audit.verify(id, { signal });
    assert.equal(verified.ok, true, JSON.stringify(verified));
  }

  appending.abort();
  await appended;
});

test("signs a head once and leaves a copy of it in the log", async () => {
  const id = await aChain(2);

  await Promise.all([audit.signHeads({ signal }), audit.signHeads({ signal })]);
  const signedAgain = await audit.signHeads({ signal });

  assert.equal(signedAgain, 0);
  const line = logLines.find((text) => text.includes(id));
  assert.match(line ?? "", /"seq":2,"hash":"[0-9a-f]{64}".*"ed25519":"[A-Za-z0-9+/=]{88}"/);
});

async function aChain(rows: number): Promise<string> {
  const organizationId = randomUUID();
  await db.transaction().execute(async (tx) => {
    for (let n = 0; n < rows; n++) {
      await audit.append(tx, anEntry({ organizationId, target: { kind: "token", id: String(n) } }));
    }
  });
  return organizationId;
}

/** Deletes the tail and makes the head agree. */
function cutAfter(id: string, seq: number): Promise<void> {
  return tamper(database.connection, [
    `delete from audit_entries where ${rowsFrom(id, seq + 1)}`,
    `update audit_heads set seq = ${seq},
       hash = coalesce((select hash from audit_entries where ${row(id, seq)}), ${NULL_HASH})
     where organization_id = '${id}'`,
  ]);
}

function row(id: string, seq: number): string {
  return `organization_id = '${id}' and seq = ${seq}`;
}

function rowsFrom(id: string, seq: number): string {
  return `organization_id = '${id}' and seq >= ${seq}`;
}

function assertBad(actual: unknown, seq: number, reason: RegExp): void {
  assert.partialDeepStrictEqual(actual, { ok: false, seq });
  assert.match(JSON.stringify(actual), reason);
}
