import assert from "node:assert/strict";
import { test } from "node:test";
import { recentHistory } from "./recent-history.ts";
import { aRequest } from "./testing.ts";

test("keeps the newest messages that fit, in their order", () => {
  const [first, second] = aRequest().history;
  const history = [first!, second!, first!];

  assert.deepEqual(recentHistory(history), history);
  assert.deepEqual(recentHistory(history, 15), [second, first]);
  assert.deepEqual(recentHistory(history, 3), []);
});
