import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import {
  createTestDatabase,
  cutConnections,
  onTestServer,
  sqlExecutor,
  type TestDatabase,
} from "../../test/support/database.ts";
import { createJobs, type Job } from "./index.ts";
import {
  define,
  Diary,
  log,
  never,
  nextId,
  type Note,
  queueName,
  startedJobs,
} from "../../test/support/jobs.ts";

let database: TestDatabase;
before(async () => {
  database = await createTestDatabase();
});
after(async () => {
  await database[Symbol.asyncDispose]();
});

describe("jobs on several replicas", () => {
  test("runs each job once when two replicas share a database", async () => {
    const diary = new Diary();
    const name = queueName();
    async function handle({ data }: Job<Note>): Promise<void> {
      diary.write(data.text);
    }
    await using one = await startedJobs(database, { name, handle });
    await using two = await startedJobs(database, { name, handle });
    const texts = Array.from({ length: 200 }, (_, index) => `n${index}`);

    await Promise.all(texts.map((text) => one.add(`key ${text}`, text)));
    two.queue.wake();

    const lines = await diary.has(200);
    assert.deepEqual(lines.toSorted(), texts.toSorted());
  });

  test("gives unfinished jobs back when it stops, so that another replica runs them at once", async () => {
    const diary = new Diary();
    const name = queueName();
    const leaving = await startedJobs(database, {
      name,
      retriesMax: 0,
      handle: (job) => {
        diary.write(`left ${job.attempt}`);
        return never();
      },
    });
    await leaving.add("k", "long");
    await diary.has(1);
    await using staying = await startedJobs(database, {
      name,
      retriesMax: 0,
      handle: async (job) => diary.write(`stayed ${job.attempt}`),
    });

    await leaving.jobs.stop({ graceMs: 0 });

    assert.deepEqual(await diary.has(2), ["left 1", "stayed 1"]);
    assert.equal((await staying.jobs.states())[0]?.dead, 0);
  });

  test("goes on by itself after the database was away", { timeout: 30_000 }, async () => {
    const diary = new Diary();
    const isAway = Promise.withResolvers<void>();
    await using own = await createTestDatabase();
    const jobs = createJobs({ connection: own.connection, log });
    const { queue } = define(jobs, {
      async handle({ data }) {
        diary.write(`begins ${data.text}`);
        if (data.text === "first") await isAway.promise;
      },
    });
    await jobs.start();
    const texts = ["first", "second"];
    const rows = texts.map((text) => ({ id: nextId(), key: "k", data: { text } }));
    await queue.enqueue(sqlExecutor(own.db), rows);
    queue.wake();
    await diary.has(1);

    await onTestServer(`alter database ${own.name} allow_connections false`);
    await cutConnections(own);
    isAway.resolve();
    // The outcome of the first job meets a database that is away.
    await jobs.states().catch(() => diary.write("away"));
    await diary.has(2);
    await onTestServer(`alter database ${own.name} allow_connections true`);

    assert.deepEqual(await diary.has(3), ["begins first", "away", "begins second"]);
    await jobs.stop({ graceMs: 1_000 });
  });

  test("announces and parks a job whose replica ended in its last run", async () => {
    const diary = new Diary();
    const name = queueName();
    await using run = await startedJobs(database, {
      name,
      retriesMax: 0,
      handle: async ({ data }) => diary.write(data.text),
      onDead: async ({ data }, error) => diary.write(`dead: ${data.text}, ${String(error)}`),
    });
    const lost = { id: nextId(), key: "k", data: { text: "lost" } };

    // As a replica leaves it that was killed eleven seconds ago.
    await database.db.transaction().execute(async (tx) => {
      await run.queue.enqueue(sqlExecutor(tx), [lost]);
      await sqlExecutor(tx).executeSql(
        `update pgboss.job
         set state = 'active', started_on = now(), heartbeat_on = now() - interval '11 seconds'
         where name = $1 and id = $2`,
        [name, lost.id],
      );
    });
    await run.add("k", "next");

    assert.deepEqual(await diary.has(2), [
      "dead: lost, Error: The replica that ran this job ended.",
      "next",
    ]);
  });

  test("takes over the jobs of a replica that was killed", { timeout: 30_000 }, async () => {
    const diary = new Diary();
    const name = queueName();
    const child = spawn(
      process.execPath,
      ["--input-type=module-typescript", "--eval", replicaThatHangs(name)],
      { cwd: import.meta.dirname, stdio: ["ignore", "pipe", "inherit"] },
    );
    await once(child.stdout, "data");
    await using run = await startedJobs(database, {
      name,
      handle: async (job) => diary.write(`${job.data.text} ${job.attempt}`),
    });
    child.kill("SIGKILL");

    const lines = await diary.has(1);

    assert.deepEqual(lines, ["from the child 2"]);
    assert.equal((await run.jobs.states())[0]?.dead, 0);
  });
});

/** Enqueues one job, says so when it runs, and never ends it. */
function replicaThatHangs(name: string): string {
  const connection = JSON.stringify(database.connection);
  return `
    import pg from "pg";
    import { createIds, createJobs, createLog, createScrubber } from "#platform";
    const connection = ${connection};
    const log = createLog({ level: "silent", format: "json", scrubber: createScrubber() });
    const jobs = createJobs({ connection, log });
    const queue = jobs.define({
      name: "${name}", isOrdered: true, concurrencyMax: 1, retriesMax: 2, retryDelaySeconds: 0,
      retryDelaySecondsMax: 0, runSecondsMax: 60,
      handle() { process.stdout.write("running"); return new Promise(() => {}); },
    });
    await jobs.start();
    const client = new pg.Client(connection);
    await client.connect();
    const tx = { executeSql: (text, values) => client.query(text, values) };
    await queue.enqueue(tx, [{ id: createIds()(), key: "k", data: { text: "from the child" } }]);
    queue.wake();
  `;
}
