import assert from "node:assert/strict";
import { test } from "node:test";
import { createIds } from "./index.ts";

test("ids are UUIDs of version 7 with the time in them", () => {
  const ids = createIds(() => 0x0123456789ab);

  const id = ids();

  assert.match(id, /^01234567-89ab-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("ids sort in the order they were made, within a millisecond and when the clock steps back", () => {
  let nowMs = 1_700_000_000_000;
  const ids = createIds(() => nowMs);
  const made: string[] = [];

  for (let n = 0; n < 20_000; n += 1) {
    if (n % 7000 === 6999) nowMs -= 50;
    made.push(ids());
  }

  assert.deepEqual(made.toSorted(), made);
  assert.equal(new Set(made).size, made.length);
});

test("the random half never repeats", () => {
  const ids = createIds();
  const halves = new Set(Array.from({ length: 10_000 }, () => ids().slice(19)));

  assert.equal(halves.size, 10_000);
});
