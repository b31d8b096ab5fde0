import assert from "node:assert/strict";
import { createSecretKey, randomBytes, webcrypto } from "node:crypto";
import { describe, test } from "node:test";
import { compactDecrypt, CompactEncrypt } from "jose";
import { lengthPrefixed, openBytes, sealBytes } from "./aead.ts";
import {
  createKeyring,
  envKeyProvider,
  type Keyring,
  KeyringError,
  type SealContext,
  type SealedRecord,
} from "./index.ts";

const options = { signal: new AbortController().signal };
const created = "2026-11-01T00:00:00Z";

interface TestKey {
  readonly id: string;
  readonly material: Buffer;
  readonly state?: string;
}

function keysetOf(primary: string, keys: readonly TestKey[]): string {
  return JSON.stringify({
    primary,
    keys: keys.map(({ id, material, state = "active" }) => ({
      id,
      created,
      state,
      material: material.toString("base64"),
    })),
  });
}

const k1: TestKey = { id: "k1", material: randomBytes(32) };
const k2: TestKey = { id: "k2", material: randomBytes(32) };

function keyringOf(primary: string, keys: readonly TestKey[]): Promise<Keyring> {
  return createKeyring({ provider: envKeyProvider(keysetOf(primary, keys)) });
}

const context: SealContext = {
  organizationId: "00000000-0000-7000-8000-000000000001",
  integrationId: "00000000-0000-7000-8000-000000000002",
  credentialType: "bot_token",
  version: 3,
};
const plaintext = Buffer.from("xoxb-planted");

async function refused(keyring: Keyring, where: SealContext, record: SealedRecord): Promise<void> {
  await assert.rejects(keyring.open(where, record, options), (error) => {
    assert.ok(error instanceof KeyringError, String(error));
    assert.ok(error.kind === "undecryptable" || error.kind === "unknown_key");
    return true;
  });
}

describe("a sealed credential", () => {
  test("opens to what was sealed, at any size up to 1 MiB", async () => {
    const keyring = await keyringOf("k1", [k1]);
    const sizes = [0, 1, 11, 12, 15, 16, 17, 31, 32, 33, 255, 4096, 65_535, 65_537, 1_048_576];

    for (const size of sizes) {
      const bytes = randomBytes(size);
      const record = await keyring.seal(context, bytes, options);
      const opened = await keyring.open(context, record, options);

      assert.ok(bytes.equals(opened), `${size} bytes`);
      assert.equal(record.ciphertext.byteLength, 12 + size + 16);
      assert.equal(record.wrappedDek.byteLength, 12 + 32 + 16);
      assert.deepEqual([record.format, record.kekId], [1, "k1"]);
    }
  });

  test("never looks the same twice", async () => {
    const keyring = await keyringOf("k1", [k1]);

    const first = await keyring.seal(context, plaintext, options);
    const second = await keyring.seal(context, plaintext, options);

    assert.notDeepEqual(first.ciphertext, second.ciphertext);
    assert.notDeepEqual(first.wrappedDek, second.wrappedDek);
  });

  test("is refused after the flip of any single bit", async () => {
    const keyring = await keyringOf("k1", [k1]);
    const record = await keyring.seal(context, plaintext, options);

    for (const field of ["ciphertext", "wrappedDek"] as const) {
      for (let bit = 0; bit < record[field].byteLength * 8; bit += 1) {
        const flipped = Buffer.from(record[field]);
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        await refused(keyring, context, { ...record, [field]: flipped });
      }
    }
  });

  test("is refused when cut short or made longer", async () => {
    const keyring = await keyringOf("k1", [k1]);
    const record = await keyring.seal(context, plaintext, options);

    for (const field of ["ciphertext", "wrappedDek"] as const) {
      for (let length = 0; length < record[field].byteLength; length += 1) {
        await refused(keyring, context, { ...record, [field]: record[field].subarray(0, length) });
      }
      await refused(keyring, context, {
        ...record,
        [field]: Buffer.concat([record[field], Buffer.alloc(1)]),
      });
    }
  });

  test("opens nowhere else: other owner, type, version, key or format", async () => {
    const keyring = await keyringOf("k1", [k1, k2]);
    const record = await keyring.seal(context, plaintext, options);

    await refused(keyring, { ...context, organizationId: context.integrationId }, record);
    await refused(keyring, { ...context, integrationId: context.organizationId }, record);
    await refused(keyring, { ...context, credentialType: "app_token" }, record);
    await refused(keyring, { ...context, version: 2 }, record);
    await refused(keyring, context, { ...record, kekId: "k2" });
    await refused(keyring, context, { ...record, kekId: "k9" });
    await refused(keyring, context, { ...record, format: 2 });
  });

  test("cannot be put together from two records", async () => {
    const keyring = await keyringOf("k1", [k1]);
    const one = await keyring.seal(context, plaintext, options);
    const other = await keyring.seal(context, plaintext, options);

    await refused(keyring, context, { ...one, ciphertext: other.ciphertext });
    await refused(keyring, context, { ...one, wrappedDek: other.wrappedDek });
  });

  test("does not open where the bytes are the same under another id", async () => {
    const renamed = await keyringOf("k2", [{ ...k1, id: "k2" }]);
    const record = await (await keyringOf("k1", [k1])).seal(context, plaintext, options);

    await refused(renamed, context, { ...record, kekId: "k2" });
  });

  test("opens after another key became primary", async () => {
    const record = await (await keyringOf("k1", [k1])).seal(context, plaintext, options);
    const rotated = await keyringOf("k2", [{ ...k1, state: "decrypt_only" }, k2]);

    const opened = await rotated.open(context, record, options);
    const renewed = await rotated.seal(context, plaintext, options);

    assert.ok(plaintext.equals(opened));
    assert.equal(renewed.kekId, "k2");
    assert.deepEqual(rotated.knownKeyIds(), ["k1", "k2"]);
  });

  test("names neither key nor content in its errors", async () => {
    const keyring = await keyringOf("k1", [k1]);
    const record = await keyring.seal(context, plaintext, options);

    const error = await keyring
      .open({ ...context, version: 9 }, record, options)
      .catch((thrown: unknown) => thrown);

    assert.ok(error instanceof KeyringError);
    assert.ok(!error.message.includes(k1.material.toString("base64")));
    assert.ok(!String(error.cause).includes("xoxb"));
  });
});

function aadOf(layer: string, ...more: readonly string[]): Uint8Array {
  const { organizationId, integrationId, credentialType } = context;
  return lengthPrefixed(
    "infragpt/cred/1",
    layer,
    ...more,
    organizationId,
    integrationId,
    credentialType,
    "3",
  );
}

async function openWithWebCrypto(
  key: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
): Promise<Buffer> {
  const imported = await webcrypto.subtle.importKey("raw", Buffer.from(key), "AES-GCM", false, [
    "decrypt",
  ]);
  const bytes = await webcrypto.subtle.decrypt(
    {
      name: "AES-GCM",
      iv: Buffer.from(sealed.subarray(0, 12)),
      additionalData: Buffer.from(aad),
      tagLength: 128,
    },
    imported,
    Buffer.from(sealed.subarray(12)),
  );
  return Buffer.from(bytes);
}

describe("a record, judged by independent implementations", () => {
  test("opens with WebCrypto from its published layout", async () => {
    const record = await (await keyringOf("k1", [k1])).seal(context, plaintext, options);

    const dek = await openWithWebCrypto(k1.material, aadOf("dek", "k1"), record.wrappedDek);
    const opened = await openWithWebCrypto(dek, aadOf("data"), record.ciphertext);

    assert.ok(plaintext.equals(opened));
  });

  test("jose opens what we seal, and we open what jose seals", async () => {
    const key = randomBytes(32);
    const header = Buffer.from(JSON.stringify({ alg: "dir", enc: "A256GCM" })).toString(
      "base64url",
    );
    // A JWE authenticates its own header: https://www.rfc-editor.org/rfc/rfc7516#section-5.1.
    const aad = Buffer.from(header, "ascii");
    const sealed = Buffer.from(sealBytes(createSecretKey(key), aad, plaintext));
    function url(from: number, to?: number): string {
      return sealed.subarray(from, to).toString("base64url");
    }

    const opened = await compactDecrypt(
      `${header}..${url(0, 12)}.${url(12, -16)}.${url(-16)}`,
      key,
    );
    const jwe = await new CompactEncrypt(plaintext)
      .setProtectedHeader({ alg: "dir", enc: "A256GCM" })
      .encrypt(key);
    const [theirHeader = "", , ...parts] = jwe.split(".");
    const theirs = Buffer.concat(parts.map((part) => Buffer.from(part, "base64url")));

    assert.ok(plaintext.equals(opened.plaintext));
    assert.ok(
      plaintext.equals(openBytes(createSecretKey(key), Buffer.from(theirHeader, "ascii"), theirs)),
    );
  });

  // Test case 16 of McGrew and Viega, "The Galois/Counter Mode of Operation (GCM)", appendix B.
  test("opens the published AES-256 vector and refuses it with another tag", () => {
    const key = createSecretKey(
      Buffer.from("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "hex"),
    );
    const aad = Buffer.from("feedfacedeadbeeffeedfacedeadbeefabaddad2", "hex");
    const iv = "cafebabefacedbaddecaf888";
    const ciphertext =
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662";
    const tag = "76fc6ece0f4e1768cddf8853bb2d551b";

    const opened = openBytes(key, aad, Buffer.from(iv + ciphertext + tag, "hex"));

    assert.equal(
      Buffer.from(opened).toString("hex"),
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
    );
    assert.throws(() => openBytes(key, aad, Buffer.from(iv + ciphertext + "0".repeat(32), "hex")));
  });
});

test("tags shorter than 16 bytes are refused", () => {
  const key = createSecretKey(randomBytes(32));
  const sealed = sealBytes(key, Buffer.alloc(0), Buffer.alloc(0));

  for (let length = 0; length < 16; length += 1) {
    assert.throws(
      () => openBytes(key, Buffer.alloc(0), sealed.subarray(0, 12 + length)),
      RangeError,
    );
  }
});

test("a hundred thousand initialization vectors are all different", () => {
  const key = createSecretKey(randomBytes(32));
  const seen = new Set<string>();

  for (let n = 0; n < 100_000; n += 1) {
    seen.add(
      Buffer.from(sealBytes(key, Buffer.alloc(0), Buffer.alloc(0))).toString("latin1", 0, 12),
    );
  }

  assert.equal(seen.size, 100_000);
});

test("no two lists of fields give the same authenticated data", () => {
  assert.notDeepEqual(lengthPrefixed("ab", "c"), lengthPrefixed("a", "bc"));
  assert.notDeepEqual(lengthPrefixed("a", ""), lengthPrefixed("a"));
  assert.deepEqual([...lengthPrefixed("é")], [0, 0, 0, 2, 0xc3, 0xa9]);
});

describe("a canary", () => {
  test("tells the same key from another one under its id, and from a lost one", async () => {
    const before = await keyringOf("k1", [k1]);
    const sealed = await before.sealCanary("k1", options);
    const swapped = await keyringOf("k1", [{ ...k2, id: "k1" }]);
    const lost = await keyringOf("k2", [k2]);

    assert.equal(await before.checkCanary("k1", sealed, options), true);
    assert.equal(await swapped.checkCanary("k1", sealed, options), false);
    assert.equal(await lost.checkCanary("k1", sealed, options), false);
    await assert.rejects(lost.sealCanary("k1", options), KeyringError);
  });
});

describe("a keyset is refused", () => {
  const text = Buffer.from("correct horse battery staple!!!!");
  const cases: readonly [string, string, RegExp][] = [
    [
      "when it is not JSON, without quoting it",
      `{"material":"${k1.material.toString("base64")}"`,
      /not JSON/,
    ],
    [
      "when a key is too short",
      keysetOf("k1", [{ id: "k1", material: randomBytes(31) }]),
      /31 bytes instead of 32/,
    ],
    [
      "when a key is too long",
      keysetOf("k1", [{ id: "k1", material: randomBytes(33) }]),
      /33 bytes/,
    ],
    [
      "when a key is one byte repeated",
      keysetOf("k1", [{ id: "k1", material: Buffer.alloc(32, 7) }]),
      /one byte repeated/,
    ],
    [
      "when a key is a passphrase",
      keysetOf("k1", [{ id: "k1", material: text }]),
      /text, not random/,
    ],
    [
      "when a key is not base64",
      keysetOf("k1", [k1]).replace(k1.material.toString("base64"), "*".repeat(44)),
      /not base64/,
    ],
    ["when its primary is missing", keysetOf("k9", [k1]), /k9 is not among/],
    [
      "when its primary is not active",
      keysetOf("k1", [{ ...k1, state: "decrypt_only" }]),
      /not active/,
    ],
    ["when an id is there twice", keysetOf("k1", [k1, k1]), /twice/],
    [
      "when it has unknown fields",
      keysetOf("k1", [k1]).replace('"primary"', '"x":1,"primary"'),
      /unfit/,
    ],
    ["when it is empty", "", /not JSON/],
  ];
  for (const [name, json, message] of cases) {
    test(name, () => {
      assert.throws(
        () => envKeyProvider(json),
        (error) => {
          assert.ok(error instanceof KeyringError);
          assert.equal(error.kind, "refused");
          assert.match(error.message, message);
          assert.ok(!error.message.includes(k1.material.toString("base64")));
          return true;
        },
      );
    });
  }

  test("naming every problem at once", () => {
    const json = keysetOf("k9", [
      { id: "k1", material: text },
      { id: "k2", material: Buffer.alloc(32) },
    ]);

    assert.throws(() => envKeyProvider(json), /k1 .*k2 .*k9/s);
  });
});
