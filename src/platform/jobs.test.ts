import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import {
  createTestDatabase,
  onTestServer,
  sqlExecutor,
  type TestDatabase,
} from "../../test/support/database.ts";
import {
  createIds,
  createJobs,
  createLog,
  createScrubber,
  type Job,
  type Jobs,
  type Queue,
  type QueueOptions,
  RetryLater,
  type SqlExecutor,
} from "./index.ts";

interface Note {
  readonly text: string;
}

const log = createLog({ level: "silent", format: "json", scrubber: createScrubber() });
const nextId = createIds();

let database: TestDatabase;
before(async () => {
  database = await createTestDatabase();
});
after(async () => {
  await database[Symbol.asyncDispose]();
});

/** A pool stands in for a transaction that commits at once. */
function autocommit(): SqlExecutor {
  return sqlExecutor(database.db);
}

/** Collects what happened and lets a test wait for the moment when enough has. */
class Diary {
  readonly lines: string[] = [];
  readonly #waiting: { count: number; resolve: () => void }[] = [];

  write(line: string): void {
    this.lines.push(line);
    for (const { count, resolve } of this.#waiting) if (this.lines.length >= count) resolve();
  }

  async has(count: number): Promise<readonly string[]> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ count, resolve });
    if (this.lines.length >= count) resolve();
    await promise;
    return this.lines;
  }
}

let queues = 0;
type Overrides = Partial<QueueOptions<Note>> & Pick<QueueOptions<Note>, "handle">;

function define(jobs: Jobs, overrides: Overrides): { queue: Queue<Note>; name: string } {
  const name = overrides.name ?? `test-${++queues}`;
  const queue = jobs.define<Note>({
    name,
    isOrdered: true,
    concurrencyMax: 10,
    retriesMax: 2,
    retryDelaySeconds: 0.01,
    retryDelaySecondsMax: 0.1,
    runSecondsMax: 30,
    ...overrides,
  });
  return { queue, name };
}

async function startedJobs(overrides: Overrides): Promise<{
  jobs: Jobs;
  queue: Queue<Note>;
  name: string;
  add(key: string, ...texts: string[]): Promise<string[]>;
  [Symbol.asyncDispose](): Promise<void>;
}> {
  const jobs = createJobs({ connection: database.connection, log });
  const { queue, name } = define(jobs, overrides);
  await jobs.start();
  return {
    jobs,
    queue,
    name,
    async add(key, ...texts) {
      const rows = texts.map((text) => ({ id: nextId(), key, data: { text } }));
      await queue.enqueue(autocommit(), rows);
      queue.wake();
      return rows.map(({ id }) => id);
    },
    [Symbol.asyncDispose]: () => jobs.stop({ graceMs: 0 }),
  };
}

function never(): Promise<void> {
  return new Promise(() => undefined);
}

describe("jobs", () => {
  test("runs the jobs of a key in order, also when some fail at first", async () => {
    const diary = new Diary();
    await using run = await startedJobs({
      async handle({ data, attempt }) {
        if (data.text === "second" && attempt < 3) throw new Error("not yet");
        diary.write(data.text);
      },
    });

    await run.add("conversation", "first", "second", "third", "fourth");

    assert.deepEqual(await diary.has(4), ["first", "second", "third", "fourth"]);
  });

  test("orders the jobs of a key by their ids, in whatever order they are stored", async () => {
    const diary = new Diary();
    await using run = await startedJobs({ handle: async ({ data }) => diary.write(data.text) });
    const first = nextId();
    const second = nextId();

    await run.queue.enqueue(autocommit(), [{ id: second, key: "k", data: { text: "second" } }]);
    await run.queue.enqueue(autocommit(), [{ id: first, key: "k", data: { text: "first" } }]);
    run.queue.wake();

    assert.deepEqual(await diary.has(2), ["first", "second"]);
  });

  test("runs other keys while one hangs", async () => {
    const diary = new Diary();
    await using run = await startedJobs({
      handle: ({ data }) =>
        data.text === "hang" ? never() : Promise.resolve(diary.write(data.text)),
    });
    await run.add("stuck", "hang", "behind");

    await run.add("other", "one", "two", "three");

    assert.deepEqual(await diary.has(3), ["one", "two", "three"]);
  });

  test("lets the next job of a key run once the one before is dead, and tells its owner first", async () => {
    const diary = new Diary();
    await using run = await startedJobs({
      async handle({ data }) {
        if (data.text === "poison") throw new Error("cannot be done");
        diary.write(data.text);
      },
      onDead: async ({ data }, error) => diary.write(`dead: ${data.text}, ${String(error)}`),
    });

    const [poison] = await run.add("k", "poison", "next");

    assert.deepEqual(await diary.has(2), ["dead: poison, Error: cannot be done", "next"]);
    const [dead] = (await run.jobs.listDead()).filter(({ queue }) => queue === run.name);
    assert.deepEqual(
      { ...dead, failedAt: undefined },
      {
        id: poison,
        queue: run.name,
        key: "k",
        data: { text: "poison" },
        failedAt: undefined,
        error: "cannot be done",
      },
    );
    assert.ok(dead?.failedAt instanceof Date);
  });

  test("runs a dead job again when it is replayed, and knows no other", async () => {
    const diary = new Diary();
    let isMended = false;
    await using run = await startedJobs({
      retriesMax: 0,
      async handle({ data, attempt }) {
        if (!isMended) throw new Error("broken");
        diary.write(`${data.text} ${attempt}`);
      },
      onDead: async () => diary.write("dead"),
    });
    const [id = ""] = await run.add("k", "again");
    await diary.has(1);
    await run.add("k", "settled first").then(() => diary.has(2));
    isMended = true;

    const replayed = await run.jobs.replay(id);

    assert.equal(replayed, true);
    assert.equal((await diary.has(3)).at(-1), "again 1");
    assert.equal(await run.jobs.replay(id), false);
  });

  test("waits as long as a handler asks without counting an attempt, and keeps the order", async () => {
    const diary = new Diary();
    let asks = 0;
    await using run = await startedJobs({
      retriesMax: 0,
      async handle({ data, attempt }) {
        if (data.text === "patient" && ++asks <= 3) throw new RetryLater(20, "the vendor is busy");
        diary.write(`${data.text} ${attempt}`);
      },
    });

    await run.add("k", "patient", "behind");

    assert.deepEqual(await diary.has(2), ["patient 1", "behind 1"]);
  });

  test("leaves nothing behind when the transaction that enqueued is rolled back", async () => {
    const diary = new Diary();
    await using run = await startedJobs({ handle: async ({ data }) => diary.write(data.text) });

    const rolledBack = database.db.transaction().execute(async (tx) => {
      const job = { id: nextId(), key: "k", data: { text: "never" } };
      await run.queue.enqueue(sqlExecutor(tx), [job]);
      throw new Error("rolled back");
    });

    await assert.rejects(rolledBack, /rolled back/);
    await run.add("k", "after");
    assert.deepEqual(await diary.has(1), ["after"]);
  });

  test("is one job however often the same id is enqueued", async () => {
    const diary = new Diary();
    await using run = await startedJobs({ handle: async ({ data }) => diary.write(data.text) });
    const job = { id: nextId(), key: "k", data: { text: "once" } };

    await run.queue.enqueue(autocommit(), [job, job]);
    await run.queue.enqueue(autocommit(), [job]);
    await run.add("k", "then");

    assert.deepEqual(await diary.has(2), ["once", "then"]);
  });

  test("aborts a run that lasts too long and counts it as failed", async () => {
    const diary = new Diary();
    await using run = await startedJobs({
      runSecondsMax: 0.05,
      retriesMax: 0,
      handle: (_job, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
        }),
      onDead: async (_job, error) => diary.write(String(error)),
    });

    await run.add("k", "slow");

    assert.deepEqual(await diary.has(1), ["Error: The job ran longer than 0.05 s."]);
  });

  test("runs each job once when two replicas share a database", async () => {
    const diary = new Diary();
    const name = `shared-${++queues}`;
    async function handle({ data }: Job<Note>): Promise<void> {
      diary.write(data.text);
    }
    await using one = await startedJobs({ name, handle });
    await using two = await startedJobs({ name, handle });
    const texts = Array.from({ length: 200 }, (_, index) => `n${index}`);

    await Promise.all(texts.map((text) => one.add(`key ${text}`, text)));
    two.queue.wake();

    const lines = await diary.has(200);
    assert.deepEqual(lines.toSorted(), texts.toSorted());
  });

  test("gives unfinished jobs back when it stops, so that another replica runs them at once", async () => {
    const diary = new Diary();
    const name = `handed-over-${++queues}`;
    const leaving = await startedJobs({
      name,
      retriesMax: 0,
      handle: (job) => {
        diary.write(`left ${job.attempt}`);
        return never();
      },
    });
    await leaving.add("k", "long");
    await diary.has(1);
    await using staying = await startedJobs({
      name,
      retriesMax: 0,
      handle: async (job) => diary.write(`stayed ${job.attempt}`),
    });

    await leaving.jobs.stop({ graceMs: 0 });

    assert.deepEqual(await diary.has(2), ["left 1", "stayed 1"]);
    assert.equal((await staying.jobs.states())[0]?.dead, 0);
  });

  test("counts what waits, runs and is dead", async () => {
    const diary = new Diary();
    await using run = await startedJobs({
      handle: () => {
        diary.write("running");
        return never();
      },
    });

    await run.add("k", "one", "two", "three");
    await diary.has(1);

    assert.deepEqual(await run.jobs.states(), [
      { name: run.name, waiting: 2, running: 1, dead: 0 },
    ]);
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
    await onTestServer(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${own.name}'`,
    );
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
    const name = `orphaned-${++queues}`;
    await using run = await startedJobs({
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
    const name = `killed-${++queues}`;
    const child = spawn(
      process.execPath,
      ["--input-type=module-typescript", "--eval", replicaThatHangs(name)],
      { cwd: import.meta.dirname, stdio: ["ignore", "pipe", "inherit"] },
    );
    await once(child.stdout, "data");
    await using run = await startedJobs({
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
