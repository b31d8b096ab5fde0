import assert from "node:assert/strict";
import { test } from "node:test";
import { LOCAL_ORGANIZATION_ID as organizationId } from "#identity";
import { createIds, createLog, createScrubber, systemClock as clock } from "#platform";
import { createTestDatabase } from "../../test/support/database.ts";
import { watchTurn } from "./send-message.ts";
import { createRunningTurns } from "./turns/running-turns.ts";
import { createTurnEvents } from "./turns/turn-events.ts";

test("tells what was written while the end of a turn was looked for, and then the end", async () => {
  await using database = await createTestDatabase();
  const { db } = database;
  const ids = createIds();
  const events = createTurnEvents();
  const log = createLog({ level: "error", format: "json", scrubber: createScrubber() });
  const running = createRunningTurns({ db, events, clock, log });
  const turns = { enqueue: async () => undefined, revive: async () => [], wake: () => undefined };
  // Of a turn that is not there the database says at once that it has ended.
  const turnId = ids();
  const { signal } = new AbortController();
  const deps = { db, ids, clock, turns, events, running };
  const watching = watchTurn(deps, { organizationId, turnId }, { signal });

  const first = watching.next();
  events.publish(turnId, { kind: "text", text: "the last words" });
  const told = [(await first).value, (await watching.next()).value];

  assert.deepEqual(told, [{ kind: "text", text: "the last words" }, { kind: "cancelled" }]);
});
