import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { startFakeAwsKms } from "../../test/fakes/aws-kms/index.ts";
import { startFakeGcpKms } from "../../test/fakes/gcp-kms/index.ts";
import type { FakeKeyServer } from "../../test/fakes/key-service/index.ts";
import { startFakeVault } from "../../test/fakes/vault/index.ts";
import { crc32c } from "./crc32c.ts";
import {
  AppError,
  awsKmsKeyProvider,
  createKeyring,
  gcpKmsKeyProvider,
  KeyringError,
  Secret,
  vaultTransitKeyProvider,
  type KeyProvider,
  type SealContext,
} from "./index.ts";

const home = mkdtempSync(join(tmpdir(), "key-services-"));
after(() => rmSync(home, { recursive: true }));
process.env["AWS_ACCESS_KEY_ID"] = "AKIAFAKEFAKEFAKEFAKE";
process.env["AWS_SECRET_ACCESS_KEY"] = "fake";

const options = { signal: new AbortController().signal };
const context: SealContext = {
  organizationId: "00000000-0000-7000-8000-000000000001",
  integrationId: "00000000-0000-7000-8000-000000000002",
  credentialType: "bot_token",
  version: 3,
};
const plaintext = Buffer.from("xoxb-planted");

interface Subject extends AsyncDisposable {
  readonly server: FakeKeyServer;
  createKey(): string;
  breakKey(keyId: string): void;
  /** Makes a new version of the key where the service has versions. */
  turnKey(keyId: string): void;
  provider(keyId: string, ...decryptKeyIds: readonly string[]): Promise<KeyProvider>;
}

const SUBJECTS: Readonly<Record<string, () => Promise<Subject>>> = {
  "AWS KMS": async () => {
    const server = await startFakeAwsKms();
    return {
      server,
      createKey: () => server.createKey(),
      breakKey: (keyId) => server.disableKey(keyId),
      turnKey: () => undefined,
      provider: (keyId, ...decryptKeyIds) =>
        awsKmsKeyProvider({ keyId, decryptKeyIds, region: "eu-west-1", endpoint: server.url }),
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },
  "Google Cloud KMS": async () => {
    const server = await startFakeGcpKms();
    const file = join(home, "workload-token");
    writeFileSync(file, "workload-token");
    const credentials = new Secret(
      JSON.stringify({
        type: "external_account",
        audience:
          "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
        subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
        token_url: server.tokenUrl,
        credential_source: { file },
      }),
    );
    return {
      server,
      createKey: () => server.createKey(),
      breakKey: (keyId) => server.disableKey(keyId),
      turnKey: (keyId) => server.turnKey(keyId),
      provider: (keyId, ...decryptKeyIds) =>
        gcpKmsKeyProvider({ keyId, decryptKeyIds, endpoint: server.url, credentials }),
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },
  "Vault transit": async () => {
    const server = await startFakeVault();
    return {
      server,
      createKey: () => server.createKey(),
      breakKey: (keyId) => server.deleteKey(keyId),
      turnKey: (keyId) => server.turnKey(keyId),
      provider: (keyId, ...decryptKeyIds) =>
        vaultTransitKeyProvider({
          keyId,
          decryptKeyIds,
          endpoint: server.url,
          token: { kind: "value", value: new Secret("hvs.fake") },
        }),
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },
};

function isUnavailable(error: unknown): boolean {
  return error instanceof AppError && error.code === "unavailable";
}

function isUndecryptable(error: unknown): boolean {
  return error instanceof KeyringError && error.kind === "undecryptable";
}

// Side by side: one test of each waits for six seconds.
describe("keys in", { concurrency: true }, () => {
  for (const [name, start] of Object.entries(SUBJECTS)) {
    describe(name, { concurrency: true }, () => {
      test("seals and opens, and never sees the plaintext", async () => {
        await using subject = await start();
        const keyId = subject.createKey();
        const keyring = await createKeyring({ provider: await subject.provider(keyId) });

        const record = await keyring.seal(context, plaintext, options);
        const opened = await keyring.open(context, record, options);

        assert.deepEqual(Buffer.from(opened), plaintext);
        assert.equal(record.kekId, keyId);
        const sent = JSON.stringify(subject.server.requests);
        assert.ok(!sent.includes("xoxb-planted") && !sent.includes(plaintext.toString("base64")));
      });

      test("opens a record nowhere but in its place", async () => {
        await using subject = await start();
        const keyring = await createKeyring({
          provider: await subject.provider(subject.createKey()),
        });
        const record = await keyring.seal(context, plaintext, options);

        const places: readonly SealContext[] = [
          { ...context, organizationId: context.integrationId },
          { ...context, integrationId: context.organizationId },
          { ...context, credentialType: "app_token" },
          { ...context, version: 4 },
        ];
        for (const place of places) {
          await assert.rejects(keyring.open(place, record, options), isUndecryptable);
        }
      });

      test("refuses a wrapped key after the change of any byte", async () => {
        await using subject = await start();
        const keyring = await createKeyring({
          provider: await subject.provider(subject.createKey()),
        });
        const record = await keyring.seal(context, plaintext, options);

        for (let index = 0; index < record.wrappedDek.byteLength; index += 7) {
          const wrappedDek = Buffer.from(record.wrappedDek);
          wrappedDek[index]! ^= 0x02;
          await assert.rejects(keyring.open(context, { ...record, wrappedDek }, options));
        }
        const cut = { ...record, wrappedDek: record.wrappedDek.subarray(0, -1) };
        await assert.rejects(keyring.open(context, cut, options));
      });

      test("keeps opening what the former key sealed, and no key it was not told of", async () => {
        await using subject = await start();
        const [first, second] = [subject.createKey(), subject.createKey()];
        const before = await createKeyring({ provider: await subject.provider(first) });
        const record = await before.seal(context, plaintext, options);

        const both = await createKeyring({ provider: await subject.provider(second, first) });
        const moved = { ...record, ...(await both.rewrap(context, record, options)) };
        const alone = await createKeyring({ provider: await subject.provider(second) });

        assert.equal(moved.kekId, second);
        assert.deepEqual(moved.ciphertext, record.ciphertext);
        assert.deepEqual(Buffer.from(await alone.open(context, moved, options)), plaintext);
        await assert.rejects(
          alone.open(context, record, options),
          (error) => error instanceof KeyringError && error.kind === "unknown_key",
        );
        const swapped = { ...record, kekId: second };
        await assert.rejects(both.open(context, swapped, options), isUndecryptable);
      });

      test("knows its own canary and refuses another key's", async () => {
        await using subject = await start();
        const [first, second] = [subject.createKey(), subject.createKey()];
        const keyring = await createKeyring({ provider: await subject.provider(first, second) });
        const canary = await keyring.sealCanary(first, options);

        assert.equal(await keyring.checkCanary(first, canary, options), true);
        assert.equal(await keyring.checkCanary(second, canary, options), false);
      });

      test("tries again after an error, a limit and a lost connection", async () => {
        await using subject = await start();
        const keyring = await createKeyring({
          provider: await subject.provider(subject.createKey()),
        });
        const record = await keyring.seal(context, plaintext, options);

        for (const fault of ["error", "throttle", "drop", "corrupt"] as const) {
          subject.server.failNext(fault, 2);
          const opened = await keyring.open(context, record, options);
          assert.deepEqual(Buffer.from(opened), plaintext, fault);
        }
      });

      test("says unavailable after three tries, and when a key is taken away under it", async () => {
        await using subject = await start();
        const keyId = subject.createKey();
        const keyring = await createKeyring({ provider: await subject.provider(keyId) });
        const record = await keyring.seal(context, plaintext, options);
        const callsBefore = subject.server.requests.length;

        subject.server.failNext("error", 3);
        await assert.rejects(keyring.open(context, record, options), isUnavailable);
        assert.equal(subject.server.requests.length - callsBefore, 3);

        subject.breakKey(keyId);
        await assert.rejects(keyring.open(context, record, options), isUnavailable);
        await assert.rejects(keyring.seal(context, plaintext, options), isUnavailable);
        assert.equal(await keyring.open(context, record, options).catch(() => "closed"), "closed");
      });

      test("gives up on a service that hangs", { timeout: 15_000 }, async () => {
        await using subject = await start();
        const keyring = await createKeyring({
          provider: await subject.provider(subject.createKey()),
        });
        subject.server.failNext("hang", 3);
        const startedAt = performance.now();

        await assert.rejects(keyring.seal(context, plaintext, options), isUnavailable);

        const tookMs = performance.now() - startedAt;
        assert.ok(tookMs > 5_500 && tookMs < 9_000, `${tookMs} ms`);
      });

      test("stops at once when its caller leaves", async () => {
        await using subject = await start();
        const keyring = await createKeyring({
          provider: await subject.provider(subject.createKey()),
        });
        subject.server.failNext("hang");
        const leaving = new AbortController();
        const left = keyring.seal(context, plaintext, { signal: leaving.signal });

        leaving.abort();

        await assert.rejects(
          left,
          (error) => error === leaving.signal.reason || String(error) !== "",
        );
      });

      test("ends the start with what is wrong when the key is not there", async () => {
        await using subject = await start();
        const keyId = subject.createKey();
        subject.breakKey(keyId);
        const provider = await subject.provider(keyId);

        await assert.rejects(
          createKeyring({ provider }),
          (error) => error instanceof KeyringError && error.kind === "refused",
        );
      });
    });
  }
});

test("AWS KMS is told the ids and nothing else, and which key to use", async () => {
  await using kms = await startFakeAwsKms();
  const keyId = kms.createKey();
  const provider = await awsKmsKeyProvider({
    keyId,
    decryptKeyIds: [],
    region: "eu-west-1",
    endpoint: kms.url,
  });
  const keyring = await createKeyring({ provider });
  await keyring.open(context, await keyring.seal(context, plaintext, options), options);

  const { body } = kms.requests.at(-1)!;

  assert.equal(body["KeyId"], keyId);
  assert.deepEqual(body["EncryptionContext"], {
    purpose: "infragpt/cred/1",
    org: context.organizationId,
    integration: context.integrationId,
    type: "bot_token",
    version: "3",
  });
});

test("Google Cloud KMS and Vault turn versions of a key by themselves", async () => {
  for (const start of [SUBJECTS["Google Cloud KMS"]!, SUBJECTS["Vault transit"]!]) {
    await using subject = await start();
    const keyId = subject.createKey();
    const keyring = await createKeyring({ provider: await subject.provider(keyId) });
    const record = await keyring.seal(context, plaintext, options);

    subject.turnKey(keyId);
    const opened = await keyring.open(context, record, options);
    const moved = await keyring.rewrap(context, record, options);

    assert.deepEqual(Buffer.from(opened), plaintext);
    assert.equal(moved.kekId, keyId);
    assert.notDeepEqual(moved.wrappedDek, record.wrappedDek);
  }
});

test("a Vault token is read again from the file that an agent renews", async () => {
  await using vault = await startFakeVault();
  const path = join(home, "vault-token");
  writeFileSync(path, "hvs.fake\n");
  const provider = await vaultTransitKeyProvider({
    keyId: vault.createKey(),
    decryptKeyIds: [],
    endpoint: vault.url,
    token: { kind: "file", path },
  });
  const keyring = await createKeyring({ provider });
  const record = await keyring.seal(context, plaintext, options);

  vault.token = "hvs.renewed";
  await assert.rejects(keyring.open(context, record, options), isUnavailable);
  writeFileSync(path, "hvs.renewed\n");

  assert.deepEqual(Buffer.from(await keyring.open(context, record, options)), plaintext);
});

test("Google credentials that name a program to run are refused without being shown", async () => {
  const programs = [
    { type: "external_account", credential_source: { executable: { command: "planted" } } },
    { type: "authorized_user", refresh_token: "planted" },
  ].map((value) => JSON.stringify(value));
  for (const json of [...programs, "planted"]) {
    const asked = gcpKmsKeyProvider({
      keyId: "k",
      decryptKeyIds: [],
      credentials: new Secret(json),
    });

    await assert.rejects(
      asked,
      (error) => error instanceof KeyringError && !String(error).includes("planted"),
    );
  }
});

test("the checksum is CRC-32C", () => {
  // The check value of the CRC catalogue, and RFC 3720 B.4.
  assert.equal(crc32c(Buffer.from("123456789")), 0xe3069283);
  assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa);
});
