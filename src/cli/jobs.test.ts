import assert from "node:assert/strict";
import { test } from "node:test";
import { aCliWorld } from "../../test/support/cli.ts";
import { createTestDatabase, sqlExecutor } from "../../test/support/database.ts";
import { Diary, startedJobs } from "../../test/support/jobs.ts";

test("a job that was given up is listed, put back once, and remembered", async () => {
  await using database = await createTestDatabase();
  using cli = await aCliWorld(database);
  const diary = new Diary();
  await using run = await startedJobs(database, {
    retriesMax: 0,
    async handle() {
      throw new Error("no organization has connected the account");
    },
    onDead: async () => diary.write("dead"),
  });
  const [id = ""] = await run.add("k", "delivery");
  await diary.has(1);
  await run.jobs.stop({ graceMs: 1_000 });
  const plain = { isTty: false };

  const listed = await cli.infragpt(plain, "jobs", "list");
  const replayed = await cli.infragpt(plain, "jobs", "replay", id);
  const again = await cli.infragpt(plain, "jobs", "replay", id);
  const atEnd = await cli.infragpt(plain, "jobs", "list", "--json");

  assert.match(listed.out, new RegExp(`${id} .*no organization has connected the account`));
  assert.equal(replayed.code, 0, replayed.err);
  assert.equal(again.code, 1);
  assert.deepEqual(JSON.parse(atEnd.out), { jobs: [] });
  const { rows } = await sqlExecutor(database.db).executeSql(
    "select body from audit_entries where body like '%job.replayed%'",
  );
  assert.equal(rows.length, 1);
  assert.ok(rows[0]?.body.includes(id));
});
