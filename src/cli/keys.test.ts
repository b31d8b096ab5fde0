import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { createLocalKeyset } from "#platform";
import { aCliWorld } from "../../test/support/cli.ts";
import { createTestDatabase } from "../../test/support/database.ts";

const database = await createTestDatabase();
after(() => database[Symbol.asyncDispose]());
const cli = await aCliWorld(database);
after(() => cli[Symbol.dispose]());
const { keysetPath } = cli;

function infragpt(isTty: boolean, ...argv: readonly string[]) {
  return cli.infragpt({ isTty }, ...argv);
}

test("keys are listed, replaced and retired", async () => {
  const before = await infragpt(false, "keys", "list", "--json");
  const rotated = await infragpt(false, "keys", "rotate", "--json");
  const listed = await infragpt(false, "keys", "list");
  const retired = await infragpt(false, "keys", "retire", "k1");
  const again = await infragpt(false, "keys", "retire", "k2");
  const unknown = await infragpt(false, "keys", "retire", "k9");
  const atEnd = await infragpt(false, "keys", "list", "--json");

  assert.deepEqual(
    [before, rotated, listed, retired, again, unknown, atEnd].map(({ code }) => code),
    [0, 0, 0, 0, 1, 1, 0],
    [before, rotated, listed, retired].map(({ err }) => err).join(""),
  );
  assert.equal(JSON.parse(before.out).primary_key_id, "k1");
  assert.deepEqual(JSON.parse(rotated.out), { key_id: "k2", moved: 0, undecryptable: 0 });
  assert.match(listed.out, /^ID +STATE +SINCE +RECORDS +UNDECRYPTABLE +HERE +REPLICAS\n/);
  assert.match(listed.out, /\nk2 +active +\d{4}-\d\d-\d\d +0 +0 +yes +0 of 0\n/);
  assert.match(again.err, /seals new records: rotate first/);
  assert.match(unknown.err, /no key k9/);
  const { primary_key_id: primary, keys } = JSON.parse(atEnd.out);
  assert.equal(primary, "k2");
  assert.equal(keys.find((key: { id: string }) => key.id === "k2").state, "active");
  assert.equal(statSync(keysetPath).mode & 0o777, 0o600);
});

test("a person at a terminal sees how far a rotation is, a program does not", async () => {
  const seen = await infragpt(true, "keys", "rotate");
  const piped = await infragpt(false, "keys", "rotate");

  assert.match(seen.err, /\r.*Key k\d: █+ 0 of 0 records\n$/);
  assert.match(seen.out, /^Key k\d seals now; 0 records were brought to it\.\n$/);
  assert.equal(piped.err, "");
});

test("no output shows a key", async () => {
  const shown = [
    await infragpt(true, "keys", "rotate"),
    await infragpt(false, "keys", "list", "--json"),
  ];

  const { keys }: { keys: { material: string }[] } = JSON.parse(readFileSync(keysetPath, "utf8"));
  for (const { material } of keys) {
    assert.ok(!JSON.stringify(shown).includes(material.slice(0, 20)));
  }
});

test("a start with missing or wrong keys ends with exit code 78 and their ids", async () => {
  await infragpt(false, "keys", "rotate");
  const strange = join(cli.path, "strange", "keyset.json");
  await createLocalKeyset(strange, { hasCiphertext: false });
  cli.writeConfig("strange.yaml", strange);

  const wrong = await infragpt(false, "start", "--config", "strange.yaml");
  const absent = join(cli.path, "absent.json");
  cli.writeConfig("absent.yaml", absent);
  const missing = await infragpt(false, "start", "--config", "absent.yaml");

  assert.deepEqual([wrong.code, missing.code], [78, 78], wrong.err + missing.err);
  assert.match(wrong.err, /encryption: .*k\d \(missing\)/);
  assert.match(missing.err, /absent\.json cannot be read: restore it/);
});

test("a mistake is answered with how it is written", async () => {
  for (const words of [[], ["turn"], ["list", "k1"], ["retire"], ["retire", "k1", "k2"]]) {
    const { code, err } = await infragpt(false, "keys", ...words);

    assert.equal(code, 1);
    assert.match(err, /Use: infragpt keys list, keys rotate, or keys retire <id>/);
  }
});
