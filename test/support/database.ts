import { randomBytes } from "node:crypto";
import { Client, type Pool } from "pg";
import { createLog, createScrubber } from "#platform";
import { type ConnectionOptions, type Database, sqlExecutor } from "#database";
import { openKysely, openPool } from "../../src/database/pool.ts";

export { sqlExecutor };

export const TEST_SERVER_VARIABLE = "INFRAGPT_TEST_DATABASE_SERVER";
export const TEMPLATE_DATABASE = "infragpt_template";

export interface TestDatabase extends AsyncDisposable {
  readonly db: Database;
  readonly ingestDb: Database;
  readonly connection: ConnectionOptions;
  readonly url: string;
  readonly name: string;
}

const log = createLog({ level: "error", format: "json", scrubber: createScrubber() });

/**
 * A database of its own for a test file, with every table and the job queues' schema, dropped at
 * the end: `await using database = await createTestDatabase()` or `after(() => database[Symbol.asyncDispose]())`.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = testServer();
  const name = `test_${randomBytes(8).toString("hex")}`;
  await onServer(server, `create database ${name} template ${TEMPLATE_DATABASE}`);
  const connection = { ...server, database: name };
  function open(sizeMax: number, role?: string): Pool {
    return openPool({ connection, sizeMax, applicationName: name, log, ...(role ? { role } : {}) });
  }
  const tenants = open(5, "infragpt_app");
  const db = openKysely(open(5), tenants);
  const ingestDb = openKysely(open(3));
  return {
    db,
    ingestDb,
    connection,
    url: urlOf(connection),
    name,
    async [Symbol.asyncDispose]() {
      await Promise.all([db.destroy(), ingestDb.destroy(), tenants.end()]);
      await onServer(server, `drop database ${name} with (force)`);
    },
  };
}

/** The server of this test run, for tests about servers and connections themselves. */
export function testServer(): ConnectionOptions {
  const address = process.env[TEST_SERVER_VARIABLE];
  if (address === undefined) {
    throw new Error("Run this test with --test-global-setup=test/support/global-setup.ts");
  }
  const connection: ConnectionOptions = JSON.parse(address);
  return connection;
}

/** Runs one statement beside every test's own database, such as to take one away. */
export async function onTestServer(statement: string): Promise<void> {
  await onServer(testServer(), statement);
}

/**
 * Cuts every connection to a database, whatever it is doing, as a server does that goes down. Returns
 * how many were in use.
 */
export async function cutConnections({ name }: TestDatabase): Promise<number> {
  const cut = await onServer<{ state: string }>(
    testServer(),
    `select state, pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`,
  );
  return cut.filter(({ state }) => state !== "idle").length;
}

async function onServer<Row extends object>(
  server: ConnectionOptions,
  statement: string,
): Promise<readonly Row[]> {
  const client = new Client(server);
  await client.connect();
  try {
    return (await client.query<Row>(statement)).rows;
  } finally {
    await client.end();
  }
}

function urlOf({ user, password, host, port, database }: ConnectionOptions): string {
  return `postgres://${user}:${encodeURIComponent(password)}@${host}:${port}/${database}`;
}
