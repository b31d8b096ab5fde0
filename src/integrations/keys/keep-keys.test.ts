import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { createLocalKeyset, KeyringError, openKeysetFile } from "#platform";
import { checkKeys } from "./check-keys.ts";
import { keyringOf } from "./keys-testing.ts";
import {
  aKeysetPath,
  aWorld,
  aWorldWithSecrets,
  options,
  readAll,
  refusedWith,
} from "./keys-world-testing.ts";
import { listKeys } from "./list-keys.ts";

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
    const other = aKeysetPath();
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
    const ahead = aKeysetPath();
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
    const strange = aKeysetPath();
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
