import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { AppError, createIds, createLocalKeyset, openKeysetFile, type Keyring } from "#platform";
import { createTestDatabase, type TestDatabase } from "../../../test/support/database.ts";
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
import { retireKey, type RetireKeyDeps } from "./retire-key.ts";
import { rotateKeys, type Rotation, type RotationProgress } from "./rotate-keys.ts";
import { query } from "./testing/store.ts";

const home = mkdtempSync(join(tmpdir(), "keys-"));
after(() => rmSync(home, { recursive: true }));
export const options = { signal: new AbortController().signal };
let worlds = 0;

/** A place for another key file. */
export function aKeysetPath(): string {
  worlds += 1;
  return join(home, String(worlds), "keyset.json");
}

interface CredentialRow {
  readonly id: string;
  readonly kek_id: string;
  readonly ciphertext: Buffer;
  readonly version: number;
}

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

  tools(): Required<RetireKeyDeps> {
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

  async rows(): Promise<readonly CredentialRow[]> {
    const rows = await query<CredentialRow>(
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

export async function aWorld(): Promise<World> {
  const path = aKeysetPath();
  await createLocalKeyset(path, { hasCiphertext: false });
  const world = new World(path, await createTestDatabase(), await keyringOf(path));
  await (await world.keeper()).announce(options);
  // No replica runs unless a test says so.
  await query(world.database.db, "delete from key_status");
  return world;
}

export function refusedWith(code: string, text: RegExp): (error: unknown) => boolean {
  return (error: unknown) =>
    error instanceof AppError && error.code === code && text.test(error.message);
}

export async function aWorldWithSecrets(count: number): Promise<{
  readonly world: World;
  readonly db: TestDatabase["db"];
  readonly ids: readonly string[];
}> {
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

export async function readAll(world: World, ids: readonly string[]): Promise<void> {
  const keyring = await keyringOf(world.path);
  for (const integrationId of ids) {
    const place = { organizationId: ORGANIZATION_ID, integrationId };
    assert.deepEqual(await readSecrets(world.database.db, keyring, place), [
      `secret of ${integrationId}`,
    ]);
  }
}
