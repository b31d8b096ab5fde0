import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import {
  AppError,
  createIds,
  createLocalKeyset,
  KeyringError,
  openKeysetFile,
  type Keyring,
} from "#platform";
import { createTestDatabase, type TestDatabase } from "../../../test/support/database.ts";
import { checkKeys } from "./check-keys.ts";
import { createKeyKeeper, type KeyKeeper } from "./keep-keys.ts";
import {
  aLog,
  auditOf,
  FAST_HEARTBEAT,
  keyringOf,
  ORGANIZATION_ID,
  readSecrets,
  someAccounts,
  writeSecret,
} from "./keys-testing.ts";
import { listKeys } from "./list-keys.ts";
import { retireKey } from "./retire-key.ts";
import { rotateKeys, type Rotation, type RotationProgress } from "./rotate-keys.ts";
import { SEALED_TABLES } from "./store.ts";
import { query } from "./testing/store.ts";

const home = mkdtempSync(join(tmpdir(), "keys-"));
after(() => rmSync(home, { recursive: true }));
const options = { signal: new AbortController().signal };
let worlds = 0;

/** A database, a key file, and what an operator and replicas do with them. */
class World implements AsyncDisposable {
  readonly logLines: string[] = [];
  readonly path: string;
  readonly database: TestDatabase;
  readonly keyring: Keyring;

  constructor(path: string, database: TestDatabase, keyring: Keyring) {
    this.path = path;
    this.database = database;
    this.keyring = keyring;
  }

  async keeper(path = this.path): Promise<KeyKeeper> {
    const keyring = await keyringOf(path);
    const { db } = this.database;
    return createKeyKeeper({
      db,
      keyring,
      log: aLog(this.logLines),
      ids: createIds(),
      audit: auditOf(db, keyring),
      heartbeat: FAST_HEARTBEAT,
    });
  }

  rotate(
    settings: {
      reencrypt?: boolean;
      replicasWaitMs?: number;
      onProgress?: (progress: RotationProgress) => void;
    } = {},
  ): Promise<Rotation> {
    const { onProgress, replicasWaitMs, reencrypt = false } = settings;
    return rotateKeys(
      {
        ...this.tools(),
        keyring: this.keyring,
        log: aLog(this.logLines),
        ...(replicasWaitMs === undefined ? {} : { replicasWaitMs }),
      },
      { makesNewDataKeys: reencrypt, ...options, ...(onProgress ? { onProgress } : {}) },
    );
  }

  retire(id: string): Promise<void> {
    return retireKey(this.tools(), id);
  }

  tools() {
    const { db } = this.database;
    return {
      db,
      audit: auditOf(db, this.keyring),
      keysetFile: openKeysetFile(this.path),
      heartbeat: FAST_HEARTBEAT,
    };
  }

  async states(): Promise<object> {
    const { keys } = await listKeys({ db: this.database.db, keyring: this.keyring });
    return Object.fromEntries(keys.map((key) => [key.id, [key.state, key.records]]));
  }

  async rows() {
    const rows = await query<{ id: string; kek_id: string; ciphertext: Buffer; version: number }>(
      this.database.db,
      `
      select id, kek_id, ciphertext, version from integration_credentials order by id`,
    );
    return rows;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.database[Symbol.asyncDispose]();
  }
}

async function aWorld(): Promise<World> {
  worlds += 1;
  const path = join(home, String(worlds), "keyset.json");
  await createLocalKeyset(path, { hasCiphertext: false });
  const world = new World(path, await createTestDatabase(), await keyringOf(path));
  await (await world.keeper()).announce(options);
  // No replica runs unless a test says so.
  await query(world.database.db, "delete from key_status");
  return world;
}

function refusedWith(code: string, text: RegExp) {
  return (error: unknown) =>
    error instanceof AppError && error.code === code && text.test(error.message);
}

async function aWorldWithSecrets(count: number) {
  const world = await aWorld();
  const { db } = world.database;
  const ids = await someAccounts(db, ORGANIZATION_ID, count);
  for (const integrationId of ids) {
    await writeSecret(
      db,
      world.keyring,
      { organizationId: ORGANIZATION_ID, integrationId },
      `secret of ${integrationId}`,
    );
  }
  return { world, db, ids };
}

async function readAll(world: World, ids: readonly string[]): Promise<void> {
  const keyring = await keyringOf(world.path);
  for (const integrationId of ids) {
    const place = { organizationId: ORGANIZATION_ID, integrationId };
    assert.deepEqual(await readSecrets(world.database.db, keyring, place), [
      `secret of ${integrationId}`,
    ]);
  }
}

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

describe("running replicas", () => {
  test("learn the next key before it seals, and help to bring records to it", async () => {
    const { world, ids } = await aWorldWithSecrets(1_100);
    await using _ = world;
    const stopping = new AbortController();
    const keepers = [await world.keeper(), await world.keeper()];
    for (const keeper of keepers) await keeper.announce(options);
    const running = keepers.map((keeper) => keeper.keep({ signal: stopping.signal }));
    const waitedFor = new Set<string>();

    const rotation = await world.rotate({
      onProgress: (progress) => progress.step === "waiting" && waitedFor.add(progress.keyId),
    });
    stopping.abort();
    await Promise.all(running);

    assert.deepEqual([rotation.keyId, rotation.moved], ["k2", 1_100]);
    assert.deepEqual([...waitedFor], ["k2"]);
    assert.deepEqual(
      (await listKeys({ db: world.database.db, keyring: world.keyring })).replicas,
      [],
    );
    await readAll(world, ids.slice(0, 5));
  });

  test("keep a key from sealing that one of them does not hold", async () => {
    await using world = await aWorld();
    const other = join(home, `other-${worlds}`, "keyset.json");
    await createLocalKeyset(other, { hasCiphertext: false });
    await writeFile(other, await readFile(world.path, "utf8"));
    const stopping = new AbortController();
    const keeper = await world.keeper(other);
    await keeper.announce(options);
    const running = keeper.keep({ signal: stopping.signal });

    await assert.rejects(
      world.rotate({ replicasWaitMs: 300 }),
      refusedWith("conflict", /k2 is not in use by .*:\d+.*goes on where it stopped/),
    );
    assert.equal(world.keyring.primaryKeyId(), "k1");
    // The operator copies the file there, and runs it again.
    await writeFile(other, await readFile(world.path, "utf8"));
    const copied = setInterval(() => {
      void readFile(world.path, "utf8").then((text) => writeFile(other, text));
    }, 20);
    const rotation = await world.rotate();
    clearInterval(copied);
    stopping.abort();
    await running;

    assert.equal(rotation.keyId, "k2");
  });

  test("refuse to start where their primary key is new to another", async () => {
    await using world = await aWorld();
    const stopping = new AbortController();
    const former = await world.keeper();
    await former.announce(options);
    const ahead = join(home, `ahead-${worlds}`, "keyset.json");
    await createLocalKeyset(ahead, { hasCiphertext: false });
    await writeFile(ahead, await readFile(world.path, "utf8"));
    await openKeysetFile(ahead).addPending();
    await openKeysetFile(ahead).promote("k2");
    const running = former.keep({ signal: stopping.signal });

    await assert.rejects(
      (await world.keeper(ahead)).announce(options),
      (error) => error instanceof KeyringError && /k2 is not known to/.test(error.message),
    );
    stopping.abort();
    await running;
    await (await world.keeper(ahead)).announce(options);

    const { keys } = await listKeys({ db: world.database.db, keyring: await keyringOf(ahead) });
    assert.deepEqual(
      keys.map(({ id, state }) => [id, state]),
      [
        ["k1", "decrypt_only"],
        ["k2", "active"],
      ],
    );
  });
});

describe("a start", () => {
  test("is refused with the ids of keys that are missing or another's", async () => {
    const { world, db } = await aWorldWithSecrets(1);
    await using _ = world;
    const strange = join(home, `strange-${worlds}`, "keyset.json");
    await createLocalKeyset(strange, { hasCiphertext: false });

    await assert.rejects(
      checkKeys({ db, keyring: await keyringOf(strange) }, options),
      (error) =>
        error instanceof KeyringError &&
        error.kind === "refused" &&
        error.message.includes("k1 (another key under the same id)"),
    );
    await writeFile(strange, (await readFile(strange, "utf8")).replaceAll('"k1"', '"k7"'));
    await assert.rejects(
      checkKeys({ db, keyring: await keyringOf(strange) }, options),
      /k1 \(missing\)/,
    );
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
