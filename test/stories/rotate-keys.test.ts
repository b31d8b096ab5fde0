import assert from "node:assert/strict";
import { fork, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createApp } from "#app";
import type { Database } from "#database";
import { createLocalKeyset, createLog, createScrubber, KeyringError } from "#platform";
import {
  aLog,
  auditOf,
  keyringOf,
  manySecrets,
  ORGANIZATION_ID,
  readSecrets,
  someAccounts,
  writeSecret,
} from "../../src/integrations/keys/keys-testing.ts";
import { rewrapBatch } from "../../src/integrations/keys/rewrap-records.ts";
import { query } from "../../src/integrations/keys/testing/store.ts";
import { createKeyKeeper } from "../../src/integrations/keys/keep-keys.ts";
import { createIds, openKeysetFile } from "#platform";
import { startFakeSlack } from "../fakes/slack/index.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import type { ReplicaMessage, ReplicaSpec } from "../support/key-replica.ts";
import { aHome, socketSlack, untilSettled } from "../support/service.ts";
import { configOf } from "../support/service-config.ts";
import { dumpOf } from "../support/dump.ts";
import { findSecret } from "../support/find-secret.ts";

const options = { signal: new AbortController().signal };
const RECORDS = 6_000;

/** What may be stored for each integration: the last write that was told as done, and those begun after it. */
class Expected {
  readonly #possible = new Map<string, Set<string>>();
  #written = 0;

  get written(): number {
    return this.#written;
  }

  begin(integrationId: string, secret: string): void {
    this.#possible.set(
      integrationId,
      new Set([...(this.#possible.get(integrationId) ?? []), secret]),
    );
  }

  hear({ kind, integrationId, secret }: ReplicaMessage): void {
    if (kind === "writing") this.begin(integrationId, secret);
    if (kind === "written") {
      this.#written += 1;
      this.#possible.set(integrationId, new Set([secret]));
    }
  }

  allows(integrationId: string, secret: string): boolean {
    return this.#possible.get(integrationId)?.has(secret) === true;
  }
}

function startReplica(spec: ReplicaSpec, expected: Expected): ChildProcess {
  const child = fork(join(import.meta.dirname, "../support/key-replica.ts"), [
    JSON.stringify(spec),
  ]);
  child.on("message", (message: ReplicaMessage) => expected.hear(message));
  return child;
}

function startRotation(configPath: string): ChildProcess {
  const main = join(import.meta.dirname, "../../src/main.ts");
  return spawn(process.execPath, [main, "keys", "rotate", "--json", "--config", configPath], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

async function killed(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await once(child, "exit");
}

async function countUnder(db: Database, kekId: string): Promise<number> {
  const rows = await query<{ count: number }>(
    db,
    "select count(*)::int as count from integration_credentials where kek_id = $1",
    kekId,
  );
  return rows[0]?.count ?? 0;
}

/** The rotation is the event: other processes make it, so the database is asked again and again. */
async function untilMoved(db: Database, records: number, kekId = "k2"): Promise<void> {
  const giveUp = AbortSignal.timeout(60_000);
  while ((await countUnder(db, kekId)) < records) await sleep(5, undefined, { signal: giveUp });
}

test("loses no record when keys turn under 50 writes a second and everything is killed", async (t) => {
  await using database = await createTestDatabase();
  using home = aHome();
  const { db } = database;
  const keysetPath = join(home.path, "keys", "keyset.json");
  const configPath = join(home.path, "config.yaml");
  await createLocalKeyset(keysetPath, { hasCiphertext: false });
  writeFileSync(
    configPath,
    JSON.stringify({
      database: { url: database.url },
      encryption: { provider: "file", path: keysetPath },
    }),
  );
  const keyring = await keyringOf(keysetPath);
  const ids = await manySecrets(db, keyring, ORGANIZATION_ID, RECORDS);
  const expected = new Expected();
  for (const id of ids) expected.begin(id, `of ${id}`);
  const written = ids.filter((_, index) => index % 20 === 0);
  const halves = [written.slice(0, written.length / 2), written.slice(written.length / 2)];
  const specs = halves.map((integrationIds): ReplicaSpec => ({
    connection: database.connection,
    keysetPath,
    organizationId: ORGANIZATION_ID,
    integrationIds,
    writesPerSecond: 25,
  }));
  const replicas = specs.map((spec) => startReplica(spec, expected));
  await Promise.all(replicas.map((replica) => once(replica, "message")));

  const first = startRotation(configPath);
  await untilMoved(db, 500);
  await Promise.all([killed(first), killed(replicas[0]!)]);
  replicas[0] = startReplica(specs[0]!, expected);
  await untilMoved(db, 2_000);
  await killed(replicas[1]!);
  replicas[1] = startReplica(specs[1]!, expected);
  const second = startRotation(configPath);
  const [report, [code]] = await Promise.all([text(second.stdout!), once(second, "exit")]);
  assert.equal(code, 0, report);
  // It went on with k2, or found that the replicas had finished that and turned to k3.
  const { key_id: keyId } = JSON.parse(report);
  await untilMoved(db, RECORDS, keyId);
  const writesDuring = expected.written;
  await Promise.all(replicas.map(killed));

  const after = await keyringOf(keysetPath);
  assert.equal(after.primaryKeyId(), keyId);
  let unreadable = 0;
  for (const integrationId of ids) {
    const place = { organizationId: ORGANIZATION_ID, integrationId };
    const [secret = ""] = await readSecrets(db, after, place).catch(() => []);
    if (!expected.allows(integrationId, secret)) unreadable += 1;
  }
  assert.equal(unreadable, 0);
  t.diagnostic(`${writesDuring} writes, ${RECORDS} records, ${keyId}`);
  assert.ok(writesDuring > 50, `${writesDuring} writes`);
  assert.deepEqual(await query(db, "select * from undecryptable_records"), []);
});

function isRefused(error: unknown): boolean {
  return error instanceof KeyringError && error.kind === "undecryptable";
}

describe("a record that somebody changed in the database", () => {
  const OTHER_ID = "00000000-0000-7000-8000-0000000000bb";

  async function twoOrganizations(database: TestDatabase, keysetPath: string) {
    const { db } = database;
    await createLocalKeyset(keysetPath, { hasCiphertext: false });
    const keyring = await keyringOf(keysetPath);
    await query(
      db,
      "insert into organizations (id, name, slug) values ($1, 'Other', 'other')",
      OTHER_ID,
    );
    const places = [];
    for (const organizationId of [ORGANIZATION_ID, OTHER_ID]) {
      const [integrationId = ""] = await someAccounts(db, organizationId, 1);
      const place = { organizationId, integrationId };
      await writeSecret(db, keyring, place, `of ${organizationId}`);
      places.push(place);
    }
    return { db, keyring, ours: places[0]!, theirs: places[1]! };
  }

  test("opens in no other organization", async () => {
    await using database = await createTestDatabase();
    using home = aHome();
    const path = join(home.path, "keys", "keyset.json");
    const { db, keyring, ours, theirs } = await twoOrganizations(database, path);

    // Each row keeps its owner and gets the other's sealed bytes.
    await query(
      db,
      `update integration_credentials as t
       set kek_id = o.kek_id, wrapped_dek = o.wrapped_dek, ciphertext = o.ciphertext
       from integration_credentials as o where o.id <> t.id`,
    );
    await assert.rejects(readSecrets(db, keyring, ours), isRefused);
    await assert.rejects(readSecrets(db, keyring, theirs), isRefused);
    const moved = await rewrapBatch(
      { db, keyring, log: aLog() },
      { makesNewDataKeys: false },
      options,
    );
    assert.equal(moved.moved, 0);
  });

  test("opens neither with a flipped byte nor with a cut tag", async () => {
    await using database = await createTestDatabase();
    using home = aHome();
    const path = join(home.path, "keys", "keyset.json");
    const { db, keyring, ours } = await twoOrganizations(database, path);
    let refusals = 0;

    for (const column of ["wrapped_dek", "ciphertext"] as const) {
      const [row] = await query<{ bytes: Buffer }>(
        db,
        `select ${column} as bytes from integration_credentials where integration_id = $1`,
        ours.integrationId,
      );
      const bytes = row!.bytes;
      const set = `update integration_credentials set ${column} = $1 where integration_id = $2`;
      const flips = [...bytes.keys()].map((at) => bytes.with(at, (bytes[at] ?? 0) ^ 0x40));
      const cuts = Array.from({ length: 16 }, (_, index) => bytes.subarray(0, -1 - index));
      for (const changed of [...flips, ...cuts]) {
        await query(db, set, Buffer.from(changed), ours.integrationId);
        await assert.rejects(readSecrets(db, keyring, ours), isRefused);
        refusals += 1;
      }
      await query(db, set, bytes, ours.integrationId);
    }

    assert.ok(refusals > 150, `${refusals} changes`);
    assert.deepEqual(await readSecrets(db, keyring, ours), [`of ${ORGANIZATION_ID}`]);
  });
});

test("neither a dump of the database nor the whole log holds a secret in any coding", async () => {
  await using slack = await startFakeSlack();
  await using database = await createTestDatabase();
  using home = aHome();
  const lines: string[] = [];
  const config = {
    ...configOf({ databaseUrl: database.url, home: home.path, slack: socketSlack(slack) }),
    logLevel: "trace" as const,
    httpLog: true,
  };
  const log = createLog({
    level: "trace",
    format: "json",
    // It knows shapes of secrets, and none of these values.
    scrubber: createScrubber(),
    destination: { write: (line) => lines.push(line) },
  });
  const app = createApp(config, { log });
  await app.start();
  await slack.waitForConnections(2);
  const { teamId, botToken } = slack.workspace;
  await slack.mention(teamId, slack.channel.id, "U1", "a marker that is no secret").acked;
  await slack.waitForMessages(1);
  await untilSettled(database);
  const keysetPath = join(home.path, "keys", "keyset.json");
  const { db } = database;
  const keyring = await keyringOf(keysetPath);
  const [integrationId = ""] = await someAccounts(db, ORGANIZATION_ID, 1);
  const planted = "planted/secret+with=signs & spaces 0123456789";
  await writeSecret(db, keyring, { organizationId: ORGANIZATION_ID, integrationId }, planted);
  await rotateInProcess(database, keysetPath);
  const material: string[] = JSON.parse(readFileSync(keysetPath, "utf8")).keys.map(
    (key: { material: string }) => key.material,
  );
  await app.stop();

  const dump = await dumpOf(db);
  const logText = Buffer.from(lines.join(""));
  const secrets = [planted, botToken, slack.appToken].map((value) => Buffer.from(value));
  const keys = material.map((value) => Buffer.from(value, "base64"));

  assert.ok(lines.length > 10 && dump.length > 10_000, "searched next to nothing");
  assert.deepEqual(findSecret(dump, Buffer.from("a marker that is no secret")), ["plain"]);
  for (const secret of [...secrets, ...keys]) {
    assert.deepEqual(findSecret(dump, secret), []);
    assert.deepEqual(findSecret(logText, secret), []);
  }
});

async function rotateInProcess({ db }: TestDatabase, keysetPath: string): Promise<void> {
  const { rotateKeys } = await import("#integrations");
  const keyring = await keyringOf(keysetPath);
  const audit = auditOf(db, keyring);
  const keysetFile = openKeysetFile(keysetPath);
  await rotateKeys(
    { db, keyring, log: aLog(), audit, keysetFile },
    { makesNewDataKeys: false, ...options },
  );
}

test("moves records at a rate that is worth telling", async (t) => {
  await using database = await createTestDatabase();
  using home = aHome();
  const { db } = database;
  const path = join(home.path, "keys", "keyset.json");
  await createLocalKeyset(path, { hasCiphertext: false });
  await manySecrets(db, await keyringOf(path), ORGANIZATION_ID, 20_000);
  await openKeysetFile(path).addPending();
  await openKeysetFile(path).promote("k2");
  const keyring = await keyringOf(path);
  const audit = auditOf(db, keyring);
  await createKeyKeeper({ db, keyring, log: aLog(), ids: createIds(), audit }).announce(options);
  const deps = { db, keyring, log: aLog() };

  const startedAt = performance.now();
  while ((await rewrapBatch(deps, { makesNewDataKeys: false }, options)).moved > 0);
  const perSecond = Math.round(20_000 / ((performance.now() - startedAt) / 1000));

  t.diagnostic(`${perSecond} records a second`);
  assert.equal(await countUnder(db, "k2"), 20_000);
});
