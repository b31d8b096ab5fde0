import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createTestDatabase, sqlExecutor, type TestDatabase } from "../../test/support/database.ts";
import { RetryLater } from "./index.ts";
import { Diary, never, nextId, startedJobs } from "../../test/support/jobs.ts";

let database: TestDatabase;
before(async () => {
  database = await createTestDatabase();
});
after(async () => {
  await database[Symbol.asyncDispose]();
});

describe("jobs", () => {
  test("runs the jobs of a key in order, also when some fail at first", async () => {
    const diary = new Diary();
    await using run = await startedJobs(database, {
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
    await using run = await startedJobs(database, {
      handle: async ({ data }) => diary.write(data.text),
    });
    const first = nextId();
    const second = nextId();

    // In one transaction: alone, the second would be the first that there is.
    await database.db.transaction().execute(async (tx) => {
      for (const [id, text] of [
        [second, "second"],
        [first, "first"],
      ] as const) {
        await run.queue.enqueue(sqlExecutor(tx), [{ id, key: "k", data: { text } }]);
      }
    });
    run.queue.wake();

    assert.deepEqual(await diary.has(2), ["first", "second"]);
  });

  test("runs other keys while one hangs", async () => {
    const diary = new Diary();
    await using run = await startedJobs(database, {
      handle: ({ data }) =>
        data.text === "hang" ? never() : Promise.resolve(diary.write(data.text)),
    });
    await run.add("stuck", "hang", "behind");

    await run.add("other", "one", "two", "three");

    assert.deepEqual(await diary.has(3), ["one", "two", "three"]);
  });

  test("lets the next job of a key run once the one before is dead, and tells its owner first", async () => {
    const diary = new Diary();
    await using run = await startedJobs(database, {
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
    await using run = await startedJobs(database, {
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
    await using run = await startedJobs(database, {
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
    await using run = await startedJobs(database, {
      handle: async ({ data }) => diary.write(data.text),
    });

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
    await using run = await startedJobs(database, {
      handle: async ({ data }) => diary.write(data.text),
    });
    const job = { id: nextId(), key: "k", data: { text: "once" } };

    await run.queue.enqueue(sqlExecutor(database.db), [job, job]);
    await run.queue.enqueue(sqlExecutor(database.db), [job]);
    await run.add("k", "then");

    assert.deepEqual(await diary.has(2), ["once", "then"]);
  });

  test("aborts a run that lasts too long and counts it as failed", async () => {
    const diary = new Diary();
    await using run = await startedJobs(database, {
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

  test("counts what waits, runs and is dead", async () => {
    const diary = new Diary();
    await using run = await startedJobs(database, {
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
});
