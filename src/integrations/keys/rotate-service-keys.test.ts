import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AppError,
  createIds,
  createKeyring,
  Secret,
  vaultTransitKeyProvider,
  type Keyring,
} from "#platform";
import { createTestDatabase } from "../../../test/support/database.ts";
import { startFakeVault, type FakeVault } from "../../../test/fakes/vault/index.ts";
import { createKeyKeeper } from "./keep-keys.ts";
import {
  aLog,
  auditOf,
  FAST_HEARTBEAT,
  manySecrets,
  ORGANIZATION_ID,
  readSecrets,
} from "./keys-testing.ts";
import { options } from "./keys-world-testing.ts";
import { listKeys } from "./list-keys.ts";
import { retireKey } from "./retire-key.ts";
import { rewrapBatch } from "./rewrap-records.ts";
import { rotateKeys } from "./rotate-keys.ts";
import { query } from "./testing/store.ts";

async function keyringOn(
  vault: FakeVault,
  keyId: string,
  ...decryptKeyIds: readonly string[]
): Promise<Keyring> {
  const provider = await vaultTransitKeyProvider({
    keyId,
    decryptKeyIds,
    endpoint: vault.url,
    token: { kind: "value", value: new Secret(vault.token) },
  });
  return createKeyring({ provider });
}

test("keys in a service turn by configuration, and an outage loses and accuses no record", async () => {
  await using vault = await startFakeVault();
  await using database = await createTestDatabase();
  const { db } = database;
  const [former, next] = [vault.createKey(), vault.createKey()];
  function partsOf(keyring: Keyring) {
    const audit = auditOf(db, keyring);
    return { db, keyring, audit, log: aLog(), ids: createIds(), heartbeat: FAST_HEARTBEAT };
  }
  const before = await keyringOn(vault, former);
  await createKeyKeeper(partsOf(before)).announce(options);
  await query(db, "delete from key_status");
  const ids = await manySecrets(db, before, ORGANIZATION_ID, 80);
  const rotation = { makesNewDataKeys: false, ...options };

  await assert.rejects(
    rotateKeys(partsOf(before), rotation),
    (error) =>
      error instanceof AppError && /add the next key to the configuration/.test(error.message),
  );
  const after = await keyringOn(vault, next, former);
  await createKeyKeeper(partsOf(after)).announce(options);
  await query(db, "delete from key_status");
  vault.failNext("error", 200);
  await assert.rejects(
    rewrapBatch(partsOf(after), rotation, options),
    (error) => error instanceof AppError && error.code === "unavailable",
  );
  vault.recover();
  const outcome = await rotateKeys(partsOf(await keyringOn(vault, next, former)), rotation);
  await retireKey({ db, audit: auditOf(db, after), heartbeat: FAST_HEARTBEAT }, former);

  assert.deepEqual(outcome, { keyId: next, moved: 80, undecryptable: 0 });
  assert.deepEqual(await query(db, "select * from undecryptable_records"), []);
  const alone = await keyringOn(vault, next);
  for (const integrationId of ids) {
    const place = { organizationId: ORGANIZATION_ID, integrationId };
    assert.deepEqual(await readSecrets(db, alone, place), [`of ${integrationId}`]);
  }
  const { keys } = await listKeys({ db, keyring: alone });
  assert.deepEqual(
    keys.map(({ id, state, records }) => [id, state, records]),
    [
      [former, "retired", 0],
      [next, "active", 80],
    ],
  );
});
