export interface BatchOptions<Item, Result> {
  readonly itemsMax: number;
  /** Batches of one key under way at once; what comes meanwhile forms the next. */
  readonly inFlightMax: number;
  /**
   * One outcome for each item, in their order. Rejects when nothing was done for any of them: then each is
   * run alone, because one may be at fault.
   */
  run(key: string, items: readonly Item[]): Promise<readonly PromiseSettledResult<Result>[]>;
}

/** Runs an item together with others of its key. */
export type Batches<Item, Result> = (key: string, item: Item) => Promise<Result>;

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

interface Line<Item, Result> {
  readonly waiting: Waiting<Item, Result>[];
  inFlight: number;
}

/**
 * Collects what is asked into batches, without a timer: what is asked within one tick goes together and at
 * once, what is asked while batches are under way goes with the next. A quiet service waits for nothing.
 */
export function createBatches<Item, Result>(
  options: BatchOptions<Item, Result>,
): Batches<Item, Result> {
  const lines = new Map<string, Line<Item, Result>>();

  function pump(key: string, line: Line<Item, Result>): void {
    while (line.waiting.length > 0 && line.inFlight < options.inFlightMax) {
      void runNext(key, line);
    }
  }

  async function runNext(key: string, line: Line<Item, Result>): Promise<void> {
    line.inFlight++;
    await runBatch(options, key, line.waiting.splice(0, options.itemsMax));
    line.inFlight--;
    pump(key, line);
    if (line.inFlight === 0) lines.delete(key);
  }

  return async (key, item) =>
    new Promise<Result>((resolve, reject) => {
      const line = lines.get(key) ?? { waiting: [], inFlight: 0 };
      lines.set(key, line);
      line.waiting.push({ item, resolve, reject });
      // After all that runs in this tick has asked.
      if (line.waiting.length === 1) process.nextTick(pump, key, line);
    });
}

/** Never rejects. */
async function runBatch<Item, Result>(
  options: BatchOptions<Item, Result>,
  key: string,
  batch: readonly Waiting<Item, Result>[],
): Promise<void> {
  try {
    const outcomes = await options.run(
      key,
      batch.map(({ item }) => item),
    );
    for (const [index, { resolve, reject }] of batch.entries()) {
      const outcome = outcomes[index];
      if (outcome?.status === "fulfilled") resolve(outcome.value);
      else reject(outcome?.reason ?? new Error("A batch forgot one of its items."));
    }
  } catch (error) {
    if (batch.length > 1) {
      await Promise.all(batch.map((entry) => runBatch(options, key, [entry])));
    } else batch[0]?.reject(error);
  }
}

/** The outcome of an item that went well. */
export function succeeded<Result>(value: Result): PromiseFulfilledResult<Result> {
  return { status: "fulfilled", value };
}
