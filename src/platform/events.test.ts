import assert from "node:assert/strict";
import { after, test } from "node:test";
import { createTestDatabase, sqlExecutor } from "../../test/support/database.ts";
import { createEvents, defineEvent } from "./events.ts";
import { createIds } from "./ids.ts";
import { createJobs } from "./jobs-create.ts";
import { createLog } from "./log.ts";
import { createScrubber } from "./scrubber.ts";

const database = await createTestDatabase();
after(() => database[Symbol.asyncDispose]());

test("reaches every listener of what was committed, and none of what was not", async () => {
  const log = createLog({ level: "fatal", format: "json", scrubber: createScrubber() });
  const jobs = createJobs({ connection: database.connection, log });
  const events = createEvents({ jobs, ids: createIds() });
  const happened = defineEvent<{ readonly id: string }>("thing-happened");
  const heard: string[] = [];
  const both = Promise.withResolvers<void>();
  for (const name of ["first", "second"]) {
    let runs = 0;
    events.on(happened, name, async ({ id }) => {
      runs += 1;
      // Tried again: a listener that fails once still hears it.
      if (name === "second" && runs === 1) throw new Error("not yet");
      heard.push(`${name} ${id}`);
      if (heard.length === 2) both.resolve();
    });
  }
  await jobs.start();

  await assert.rejects(
    database.db.transaction().execute(async (tx) => {
      await events.publish(sqlExecutor(tx), happened, { id: "undone" });
      throw new Error("rolled back");
    }),
  );
  await database.db
    .transaction()
    .execute((tx) => events.publish(sqlExecutor(tx), happened, { id: "done" }));
  events.wake(happened);
  await both.promise;
  await jobs.stop({ graceMs: 1_000 });

  assert.deepEqual(heard.toSorted(), ["first done", "second done"]);
});
