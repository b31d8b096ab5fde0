import assert from "node:assert/strict";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  createKeyring,
  createLocalKeyset,
  fileKeyProvider,
  KeyringError,
  openKeysetFile,
} from "./index.ts";

const home = await mkdtemp(join(tmpdir(), "keyset-"));
after(() => rm(home, { recursive: true, force: true }));

let homes = 0;
function aPath(): string {
  homes += 1;
  return join(home, String(homes), "keys", "keyset.json");
}

test("the first start makes a key file that only its owner can read", async () => {
  const path = aPath();

  const isNew = await createLocalKeyset(path, { hasCiphertext: false });

  assert.equal(isNew, true);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.equal((await stat(join(path, ".."))).mode & 0o777, 0o700);
  assert.deepEqual(await readdir(join(path, "..")), ["keyset.json"]);
  const keyring = await createKeyring({ provider: await fileKeyProvider({ path }) });
  assert.deepEqual(keyring.knownKeyIds(), [keyring.primaryKeyId()]);
});

test("a later start keeps the file as it is", async () => {
  const path = aPath();
  await createLocalKeyset(path, { hasCiphertext: false });
  const before = await readFile(path, "utf8");

  const isNew = await createLocalKeyset(path, { hasCiphertext: true });

  assert.equal(isNew, false);
  assert.equal(await readFile(path, "utf8"), before);
});

test("processes that start at once agree on one file", async () => {
  const path = aPath();

  const made = await Promise.all(
    Array.from({ length: 20 }, () => createLocalKeyset(path, { hasCiphertext: false })),
  );

  assert.equal(made.filter(Boolean).length, 1);
  await fileKeyProvider({ path });
});

test("a lost key is never replaced while something needs it", async () => {
  const path = aPath();

  await assert.rejects(createLocalKeyset(path, { hasCiphertext: true }), (error) => {
    assert.ok(error instanceof KeyringError && error.kind === "refused");
    assert.match(error.message, /Restore it/);
    return true;
  });

  await assert.rejects(stat(path), { code: "ENOENT" });
});

for (const mode of [0o640, 0o604, 0o660, 0o666]) {
  test(`a file that others can reach is refused (${mode.toString(8)})`, async () => {
    const path = aPath();
    await createLocalKeyset(path, { hasCiphertext: false });
    await chmod(path, mode);

    await assert.rejects(fileKeyProvider({ path }), /chmod 600/);
  });
}

test("a directory that others can enter is refused", async () => {
  const path = aPath();
  await createLocalKeyset(path, { hasCiphertext: false });
  await chmod(join(path, ".."), 0o755);

  await assert.rejects(createLocalKeyset(path, { hasCiphertext: true }), /chmod 700/);
});

test("a missing, empty or huge file is refused with its path", async () => {
  const path = aPath();
  await assert.rejects(fileKeyProvider({ path }), /cannot be read/);
  await createLocalKeyset(path, { hasCiphertext: false });

  await writeFile(path, "");
  await assert.rejects(fileKeyProvider({ path }), /not JSON/);
  await writeFile(path, " ".repeat(300_000));
  await assert.rejects(fileKeyProvider({ path }), /too large/);
});

test("a key is added, promoted and retired in the file, and a running service follows", async () => {
  const path = aPath();
  await createLocalKeyset(path, { hasCiphertext: false });
  const keyring = await createKeyring({ provider: await fileKeyProvider({ path }) });
  const file = openKeysetFile(path);

  const id = await file.addPending();
  assert.deepEqual([await keyring.reload(), await keyring.reload()], [true, false]);
  assert.deepEqual([keyring.primaryKeyId(), keyring.knownKeyIds()], ["k1", ["k1", "k2"]]);
  await file.promote(id);
  await keyring.reload();
  assert.deepEqual([keyring.primaryKeyId(), keyring.knownKeyIds()], ["k2", ["k1", "k2"]]);
  await file.retire("k1");
  await keyring.reload();

  assert.deepEqual([keyring.primaryKeyId(), keyring.knownKeyIds()], ["k2", ["k2"]]);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(join(path, "..")), ["keyset.json"]);
  assert.deepEqual(
    (await file.list()).map((key) => [key.id, key.state]),
    [
      ["k1", "retired"],
      ["k2", "active"],
    ],
  );
});

test("a running service keeps its keys when the file loses or changes one", async () => {
  const path = aPath();
  await createLocalKeyset(path, { hasCiphertext: false });
  const keyring = await createKeyring({ provider: await fileKeyProvider({ path }) });
  const whole = await readFile(path, "utf8");
  const material = Buffer.alloc(32, "\u00ff\u0000").toString("base64");

  for (const broken of [
    "",
    whole.replace('"k1"', '"k9"').replace('"k1"', '"k9"'),
    whole.replace(/"material": ".*"/, `"material": "${material}"`),
  ]) {
    await writeFile(path, broken);
    await assert.rejects(keyring.reload(), KeyringError);
    assert.deepEqual(keyring.knownKeyIds(), ["k1"]);
  }
  await writeFile(path, whole);

  assert.equal(await keyring.reload(), false);
});

test("the key that seals cannot be retired, nor an unknown one promoted", async () => {
  const path = aPath();
  await createLocalKeyset(path, { hasCiphertext: false });
  const before = await readFile(path, "utf8");
  const file = openKeysetFile(path);

  await assert.rejects(file.retire("k1"), KeyringError);
  await assert.rejects(file.promote("k7"), KeyringError);

  assert.equal(await readFile(path, "utf8"), before);
});
