import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createBatches, succeeded } from "#platform";

/** Notes each batch; batches end when they are let go. */
function aLine({ itemsMax = 10, inFlightMax = 1 } = {}) {
  const seen: string[][] = [];
  const gates: (() => void)[] = [];
  const ask = createBatches<string, string>({
    itemsMax,
    inFlightMax,
    async run(key, items) {
      seen.push([...items]);
      await new Promise<void>((resolve) => gates.push(resolve));
      return items.map((item) => succeeded(`${key}:${item}`));
    },
  });
  function letGo(): void {
    for (const open of gates.splice(0)) open();
  }
  return { ask, seen, letGo };
}

async function nextTurn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe("Batches", () => {
  it("run what is asked at once together, and give each its own result", async () => {
    const { ask, seen, letGo } = aLine();

    const results = Promise.all([ask("k", "a"), ask("k", "b")]);
    await nextTurn();
    letGo();

    assert.deepEqual(await results, ["k:a", "k:b"]);
    assert.deepEqual(seen, [["a", "b"]]);
  });

  it("gather what is asked while one is under way", async () => {
    const { ask, seen, letGo } = aLine();

    const first = ask("k", "a");
    await nextTurn();
    const later = [ask("k", "b"), ask("k", "c")];
    await nextTurn();
    letGo();
    await first;
    await nextTurn();
    letGo();
    await Promise.all(later);

    assert.deepEqual(seen, [["a"], ["b", "c"]]);
  });

  it("hold no more than they may, and keep the order of asking", async () => {
    const { ask, seen, letGo } = aLine({ itemsMax: 2 });

    const all = Promise.all(["a", "b", "c"].map((item) => ask("k", item)));
    await nextTurn();
    letGo();
    await nextTurn();
    letGo();
    await all;

    assert.deepEqual(seen, [["a", "b"], ["c"]]);
  });

  it("of one key do not wait for those of another", async () => {
    const { ask, seen, letGo } = aLine();

    const all = Promise.all([ask("k", "a"), ask("other", "b")]);
    await nextTurn();
    letGo();

    assert.deepEqual(await all, ["k:a", "other:b"]);
    assert.deepEqual(seen, [["a"], ["b"]]);
  });

  it("that fail are run again item by item, so that one at fault fails alone", async () => {
    const ask = createBatches<string, string>({
      itemsMax: 10,
      inFlightMax: 1,
      async run(_, items) {
        if (items.includes("bad")) throw new Error("A bad item.");
        return items.map(succeeded);
      },
    });

    const outcomes = await Promise.allSettled(["a", "bad", "b"].map((item) => ask("k", item)));

    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ["fulfilled", "rejected", "fulfilled"],
    );
  });

  it("that know what became of each item are not run again", async () => {
    let runs = 0;
    const ask = createBatches<string, string>({
      itemsMax: 10,
      inFlightMax: 1,
      async run(_, items) {
        runs++;
        return Promise.allSettled(
          items.map(async (item) => {
            if (item === "bad") throw new Error("A bad item.");
            return item;
          }),
        );
      },
    });

    const outcomes = await Promise.allSettled(["a", "bad"].map((item) => ask("k", item)));

    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ["fulfilled", "rejected"],
    );
    assert.equal(runs, 1);
  });
});
