import { sqlExecutor, type TestDatabase } from "./database.ts";
import {
  createIds,
  createJobs,
  createLog,
  createScrubber,
  type Jobs,
  type Queue,
  type QueueOptions,
} from "#platform";

export interface Note {
  readonly text: string;
}

export const log = createLog({ level: "silent", format: "json", scrubber: createScrubber() });
export const nextId = createIds();

/** Collects what happened and lets a test wait for the moment when enough has. */
export class Diary {
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

/** A queue name that no other test of this process has. */
export function queueName(): string {
  return `test-${++queues}`;
}

let queues = 0;
type Overrides = Partial<QueueOptions<Note>> & Pick<QueueOptions<Note>, "handle">;

export function define(jobs: Jobs, overrides: Overrides): { queue: Queue<Note>; name: string } {
  const name = overrides.name ?? queueName();
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

/** A started replica with one queue. */
export async function startedJobs(
  database: TestDatabase,
  overrides: Overrides,
): Promise<{
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
      await queue.enqueue(sqlExecutor(database.db), rows);
      queue.wake();
      return rows.map(({ id }) => id);
    },
    [Symbol.asyncDispose]: () => jobs.stop({ graceMs: 0 }),
  };
}

export function never(): Promise<void> {
  return new Promise(() => undefined);
}
