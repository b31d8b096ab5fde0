import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { openKeysetFile } from "#platform";
import { createTestDatabase } from "../../../test/support/database.ts";
import { aLog, auditOf, keyringOf, ORGANIZATION_ID, writeSecret } from "./keys-testing.ts";
import { aWorld, aWorldWithSecrets, options, readAll, refusedWith } from "./keys-world-testing.ts";
import { rotateKeys, type RotationProgress } from "./rotate-keys.ts";
import { SEALED_TABLES } from "./store.ts";
import { query } from "./testing/store.ts";

describe("a rotation", () => {
  test("brings every record to a new key and leaves its plaintext sealed", async () => {
    const { world, ids } = await aWorldWithSecrets(1_203);
    await using _ = world;
    const before = await world.rows();
    const shown: RotationProgress[] = [];

    const rotation = await world.rotate({ onProgress: (progress) => shown.push(progress) });

    assert.deepEqual(rotation, { keyId: "k2", moved: 1_203, undecryptable: 0 });
    const rows = await world.rows();
    assert.ok(rows.every(({ kek_id: kekId }) => kekId === "k2"));
    assert.deepEqual(
      rows.map(({ ciphertext }) => ciphertext),
      before.map(({ ciphertext }) => ciphertext),
    );
    assert.deepEqual(shown.at(-1), { step: "moving", keyId: "k2", done: 1_203, total: 1_203 });
    assert.deepEqual(await world.states(), { k1: ["decrypt_only", 0], k2: ["active", 1_203] });
    await readAll(world, ids.slice(0, 20));
  });

  test("gives every record a new data key where data keys may have been seen", async () => {
    const { world, ids } = await aWorldWithSecrets(12);
    await using _ = world;
    const before = await world.rows();

    await world.rotate({ reencrypt: true });

    const rows = await world.rows();
    for (const [index, row] of rows.entries()) {
      assert.notDeepEqual(row.ciphertext, before[index]?.ciphertext);
      assert.equal(row.version, before[index]?.version);
    }
    await readAll(world, ids);
  });

  test("goes on where an earlier one ended, and makes no third key", async () => {
    const { world, ids } = await aWorldWithSecrets(3);
    await using _ = world;
    // An earlier run ended after it had added the key.
    await openKeysetFile(world.path).addPending();
    assert.equal((await world.rotate()).keyId, "k2");
    // Another ended after the promotion: a record is still under the former key.
    await query(world.database.db, "update integration_credentials set kek_id = 'k2'");
    await openKeysetFile(world.path).addPending();
    await openKeysetFile(world.path).promote("k3");

    const rotation = await world.rotate();

    assert.deepEqual([rotation.keyId, rotation.moved], ["k3", 3]);
    assert.deepEqual(await world.states(), {
      k1: ["decrypt_only", 0],
      k2: ["decrypt_only", 0],
      k3: ["active", 3],
    });
    await readAll(world, ids);
  });

  test("sets a record aside that does not open, tells it once and goes on", async () => {
    const { world, db, ids } = await aWorldWithSecrets(4);
    await using _ = world;
    const [bad = "", ...good] = ids;
    await query(
      db,
      `
      update integration_credentials set wrapped_dek = set_byte(wrapped_dek, 20, get_byte(wrapped_dek, 20) # 1)
      where integration_id = $1`,
      bad,
    );

    const first = await world.rotate();
    const second = await world.rotate();

    assert.deepEqual([first.moved, first.undecryptable], [3, 1]);
    assert.deepEqual([second.keyId, second.moved, second.undecryptable], ["k3", 3, 1]);
    await readAll(world, good);
    const alerts = world.logLines.filter((line) => line.includes("does not open with its key"));
    assert.equal(alerts.length, 1);
    assert.match(alerts[0] ?? "", /"level":50|"level":"error"/);
    await assert.rejects(world.retire("k1"), refusedWith("conflict", /seals 1 records.*connect/));

    // A new write is a new record.
    await writeSecret(
      db,
      await keyringOf(world.path),
      { organizationId: ORGANIZATION_ID, integrationId: bad },
      `secret of ${bad}`,
    );
    await readAll(world, ids);
    await world.retire("k1");
  });

  test("moves the key that signs the audit log too", async () => {
    await using world = await aWorld();
    const { db } = world.database;
    await auditOf(db, world.keyring).signHeads(options);

    await world.rotate();
    await world.retire("k1");
    const verified = await auditOf(db, await keyringOf(world.path)).verify(
      "00000000-0000-0000-0000-000000000000",
      options,
    );

    assert.deepEqual(verified.ok && verified.rows > 0, true);
  });

  test("does not take the id of a key that was lost", async () => {
    await using world = await aWorld();
    const before = await readFile(world.path, "utf8");
    await world.rotate();
    // The key file comes back from an older backup, once with a new key of the same id.
    await writeFile(world.path, before);
    const old = await keyringOf(world.path);
    const deps = { ...world.tools(), keyring: old, log: aLog() };
    const settings = { makesNewDataKeys: false, ...options };

    await assert.rejects(rotateKeys(deps, settings), /k2 \(missing\)/);
    await openKeysetFile(world.path).addPending();
    await assert.rejects(rotateKeys(deps, settings), /k2 \(another key under the same id\)/);
  });

  test("runs once at a time", async () => {
    const { world } = await aWorldWithSecrets(600);
    await using _ = world;

    const results = await Promise.allSettled([world.rotate(), world.rotate()]);

    const outcomes = results.map(({ status }) => status).toSorted();
    assert.deepEqual(outcomes, ["fulfilled", "rejected"]);
    assert.deepEqual(Object.keys(await world.states()), ["k1", "k2"]);
  });
});

describe("a retired key", () => {
  test("is one that no record needs", async () => {
    const { world, ids } = await aWorldWithSecrets(2);
    await using _ = world;

    await assert.rejects(world.retire("k1"), refusedWith("conflict", /seals new records/));
    await assert.rejects(world.retire("k9"), refusedWith("not_found", /no key k9/));
    await world.rotate();
    await query(
      world.database.db,
      "update integration_credentials set kek_id = 'k1' where integration_id = $1",
      ids[0],
    );
    await assert.rejects(world.retire("k1"), refusedWith("conflict", /still seals 1 records/));
    await query(world.database.db, "update integration_credentials set kek_id = 'k2'");
    await world.retire("k1");
    await world.retire("k1");

    const states = await openKeysetFile(world.path).list();
    assert.deepEqual(
      states.map(({ id, state }) => [id, state]),
      [
        ["k1", "retired"],
        ["k2", "active"],
      ],
    );
    await readAll(world, ids);
  });

  test("takes no record any more, also not from a writer that sealed before", async () => {
    const { world, db, ids } = await aWorldWithSecrets(1);
    await using _ = world;
    const late = await keyringOf(world.path);
    await world.rotate();
    await world.retire("k1");

    const written = writeSecret(
      db,
      late,
      { organizationId: ORGANIZATION_ID, integrationId: ids[0]! },
      "late",
    );

    await assert.rejects(written, /retired/);
    await readAll(world, ids);
  });
});

test("every table that holds something sealed is known to the rotation", async () => {
  await using database = await createTestDatabase();

  const rows = await query<{ table_name: string }>(
    database.db,
    `
    select table_name from information_schema.columns
    where table_schema = 'public' and column_name = 'wrapped_dek'`,
  );

  const known = SEALED_TABLES.map(({ name }) => name);
  assert.deepEqual(rows.map((row) => row.table_name).toSorted(), known.toSorted());
});
