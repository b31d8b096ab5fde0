import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { Client } from "pg";
import { createJobs, createLog, createScrubber } from "#platform";
import { migrate, openDatabase } from "#database";
import { testServer } from "../support/database.ts";
import { blocks } from "./pages.ts";

const log = createLog({ level: "error", format: "json", scrubber: createScrubber() });

test("the database user of docs/OPERATIONS.md may do everything that a start does", async () => {
  const server = testServer();
  const name = `docs_${randomBytes(6).toString("hex")}`;
  const [sql = ""] = blocks("docs/OPERATIONS.md", "sql");
  const statements = sql
    .replaceAll(/\binfragpt\b/g, name)
    .split(";\n")
    // The test run's server has the role already.
    .filter((statement) => statement.trim() !== "" && !statement.startsWith("create role"));
  const admin = new Client(server);
  await admin.connect();
  try {
    for (const statement of statements) await admin.query(statement);
    const url = `postgres://${name}:change%20me@${server.host}:${server.port}/${name}`;
    const opened = await openDatabase({
      connection: { kind: "url", url: { reveal: () => url }, poolSize: 2 },
      log,
      signal: AbortSignal.timeout(30_000),
      waitMs: 5_000,
    });
    await migrate(opened.db, { log });
    const jobs = createJobs({ connection: opened.connection, log });
    await jobs.start();

    assert.deepEqual(await jobs.listDead(), []);

    await jobs.stop({ graceMs: 0 });
    await opened.close();
  } finally {
    await admin.query(`drop database if exists ${name} with (force)`);
    await admin.query(`drop role if exists ${name}`);
    await admin.end();
  }
});
