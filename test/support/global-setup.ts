import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { createJobs, createLog, createScrubber } from "#platform";
import { migrate } from "#database";
import {
  type OpenEmbeddedServer,
  openEmbeddedServer,
} from "../../src/database/embedded/open-embedded-server.ts";
import { type ConnectionOptions, openKysely, openPool } from "../../src/database/pool.ts";
import { TEMPLATE_DATABASE, TEST_SERVER_VARIABLE } from "./database.ts";

const log = createLog({ level: "warn", format: "json", scrubber: createScrubber() });

let server: OpenEmbeddedServer | undefined;
let directory: string | undefined;

/** Starts one PostgreSQL for the whole run and migrates the template of every test's database. */
export async function globalSetup(): Promise<void> {
  directory = await mkdtemp(join(tmpdir(), "infragpt-test-"));
  const { signal } = new AbortController();
  server = await openEmbeddedServer({ directory, attach: false, isDurable: false, log, signal });
  process.once("exit", abandon);
  try {
    await makeTemplate(server.connection);
  } catch (error) {
    await globalTeardown();
    throw error;
  }
  process.env[TEST_SERVER_VARIABLE] = JSON.stringify(server.connection);
}

export async function globalTeardown(): Promise<void> {
  process.off("exit", abandon);
  await server?.stop();
  if (directory !== undefined) await rm(directory, { recursive: true, force: true });
}

function abandon(): void {
  server?.abandon();
}

async function makeTemplate(connection: ConnectionOptions): Promise<void> {
  const client = new Client(connection);
  await client.connect();
  await client.query(`create database ${TEMPLATE_DATABASE}`);
  await client.end();
  const pool = openPool({
    connection: { ...connection, database: TEMPLATE_DATABASE },
    sizeMax: 2,
    applicationName: "test-template",
    log,
  });
  const db = openKysely(pool);
  await migrate(db, { log });
  await db.destroy();
  // pg-boss's schema too, so that no test waits for it.
  const jobs = createJobs({ connection: { ...connection, database: TEMPLATE_DATABASE }, log });
  await jobs.start();
  await jobs.stop({ graceMs: 1_000 });
}
