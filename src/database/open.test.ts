import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { sql } from "kysely";
import { createLog, createScrubber, Secret } from "#platform";
import { createTestDatabase } from "../../test/support/database.ts";
import { findPostmaster, isAlive } from "./embedded/postmaster.ts";
import { findFreePort } from "./embedded/settings.ts";
import { openDatabase, type OpenDatabase } from "./open.ts";
import type { ConnectionOptions } from "./pool.ts";

const log = createLog({ level: "silent", format: "json", scrubber: createScrubber() });
const { signal } = new AbortController();

function openUrl(url: string): Promise<OpenDatabase> {
  const connection = { kind: "url", url: new Secret(url), poolSize: 2 } as const;
  return openDatabase({ connection, log, signal, waitMs: 250 });
}

function openEmbedded(directory: string, attach = false): Promise<OpenDatabase> {
  const connection = { kind: "embedded", directory, attach, poolSize: 2 } as const;
  return openDatabase({ connection, log, signal, waitMs: 10_000 });
}

/** Waits as a start does, with the same patience. */
async function answering({ user, password, host, port }: ConnectionOptions): Promise<void> {
  const url = new Secret(`postgres://${user}:${password}@${host}:${port}/postgres`);
  const connection = { kind: "url", url, poolSize: 1 } as const;
  const opened = await openDatabase({ connection, log, signal, waitMs: 20_000 });
  await opened.close();
}

async function temporaryHome(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), "infragpt-home-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

describe("a database elsewhere", () => {
  test("is open when it answers", async () => {
    await using database = await createTestDatabase();

    const opened = await openUrl(database.url);

    await opened.check({ signal });
    await opened.close();
  });

  test("says what to check when nothing answers, and keeps the password to itself", async () => {
    const port = await findFreePort();

    const opening = openUrl(`postgres://someone:planted-password@127.0.0.1:${port}/db`);

    await assert.rejects(opening, (error: Error & { code?: string }) => {
      assert.equal(error.code, "unavailable");
      assert.match(error.message, new RegExp(`127.0.0.1:${port}.*database.host`));
      assert.doesNotMatch(JSON.stringify(error) + error.message, /planted-password/);
      return true;
    });
  });

  test("says so when the password is refused", async () => {
    await using database = await createTestDatabase();
    const url = new URL(database.url);
    url.password = "planted-password";

    await assert.rejects(openUrl(url.href), { code: "unavailable", message: /database.password/ });
  });
});

describe("the embedded database", () => {
  test("keeps what was written when it is opened again", async () => {
    await using home = await temporaryHome();
    const first = await openEmbedded(home.path);
    await sql`create table kept (value int)`.execute(first.db);
    await first.close();

    const second = await openEmbedded(home.path);

    await sql`select value from kept`.execute(second.db);
    await second.close();
    assert.equal(second.connection.port, first.connection.port);
    assert.equal((await stat(join(home.path, "postgres.json"))).mode & 0o777, 0o600);
  });

  test("works below a directory that only its owner may enter", async () => {
    await using home = await temporaryHome();
    const closed = join(home.path, "closed");
    await mkdir(closed, { mode: 0o700 });
    await chmod(home.path, 0o700);

    const opened = await openEmbedded(join(closed, "home"));

    await opened.check({ signal });
    await opened.close();
  });

  test("refuses a second service and says which process has it; a command attaches", async () => {
    await using home = await temporaryHome();
    const service = await openEmbedded(home.path);
    await sql`create table seen (value int)`.execute(service.db);

    const refusal = openEmbedded(home.path);
    await assert.rejects(refusal, { code: "conflict", message: new RegExp(`pid ${process.pid}`) });
    const command = await openEmbedded(home.path, true);

    await sql`select value from seen`.execute(command.db);
    await command.close();
    await service.check({ signal });
    await service.close();
  });

  test("is started again when it dies", async () => {
    await using home = await temporaryHome();
    const opened = await openEmbedded(home.path);
    const data = join(home.path, "postgres");
    const before = await findPostmaster(data);

    process.kill(before!.pid, "SIGKILL");

    await answering(opened.connection);
    await opened.check({ signal });
    const now = await findPostmaster(data);
    assert.notEqual(now!.pid, before!.pid);
    await opened.close();
    assert.equal(isAlive(now!.pid), false);
  });

  test("recovers what a killed service left running", { timeout: 60_000 }, async () => {
    await using home = await temporaryHome();
    const child = spawn(
      process.execPath,
      ["--input-type=module-typescript", "--eval", serviceIn(home.path)],
      { cwd: import.meta.dirname, stdio: ["ignore", "pipe", "inherit"] },
    );
    await once(child.stdout, "data");
    const data = join(home.path, "postgres");
    const orphan = await findPostmaster(data);
    child.kill("SIGKILL");
    await once(child, "exit");
    assert.equal(isAlive(orphan!.pid), true);

    const opened = await openEmbedded(home.path);

    await sql`select value from written`.execute(opened.db);
    assert.notEqual((await findPostmaster(data))!.pid, orphan!.pid);
    await opened.close();
  });

  test("starts though another process has the pid of its last server", async () => {
    await using home = await temporaryHome();
    const first = await openEmbedded(home.path);
    await first.close();
    const data = join(home.path, "postgres");
    await writeFile(
      join(data, "postmaster.pid"),
      `${process.pid}\n${data}\n1\n5432\n\n\n\nready\n`,
    );

    const opened = await openEmbedded(home.path);

    await opened.check({ signal });
    await opened.close();
  });

  test("leaves no half-made database when its creation is interrupted", async () => {
    await using home = await temporaryHome();
    await mkdir(join(home.path, "postgres.new"));
    await writeFile(join(home.path, "postgres.new", "half"), "");

    const opened = await openEmbedded(home.path);

    await opened.close();
    assert.equal((await readdir(home.path)).includes("postgres.new"), false);
    assert.doesNotMatch(
      await readFile(join(home.path, "postgres.log"), "utf8"),
      new RegExp(opened.connection.password),
    );
  });
});

function serviceIn(directory: string): string {
  return `
    import { sql } from "kysely";
    import { createLog, createScrubber } from "#platform";
    import { openDatabase } from "#database";
    const log = createLog({ level: "silent", format: "json", scrubber: createScrubber() });
    const { signal } = new AbortController();
    const connection = { kind: "embedded", directory: ${JSON.stringify(directory)}, attach: false, poolSize: 2 };
    const { db } = await openDatabase({ connection, log, signal, waitMs: 10_000 });
    await sql\`create table written (value int)\`.execute(db);
    process.stdout.write("ready");
  `;
}
