import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { createLog, createScrubber } from "#platform";
import { startFakeClerk, type FakeClerk } from "../../../test/fakes/clerk/index.ts";
import { createKeySet, type KeySet } from "./key-set.ts";

const MINUTE_MS = 60_000;
const log = createLog({ level: "fatal", format: "json", scrubber: createScrubber() });

describe("The keys of a Clerk instance", () => {
  let clerk: FakeClerk;
  let nowMs: number;
  let keys: KeySet;

  before(async () => {
    clerk = await startFakeClerk();
  });
  after(() => clerk[Symbol.asyncDispose]());
  beforeEach(() => {
    nowMs = 1_800_000_000_000;
    clerk.setDown(false);
    keys = createKeySet({ url: clerk.jwksUrl, log, clock: { now: () => new Date(nowMs) } });
  });

  it("are asked for once while they are fresh, however many ask at once", async () => {
    const asked = clerk.jwksRequests;
    await Promise.all(Array.from({ length: 50 }, () => keys.find(clerk.kid)));
    nowMs += 9 * MINUTE_MS;

    assert.ok(await keys.find(clerk.kid));
    assert.equal(clerk.jwksRequests - asked, 1);
  });

  it("go on for a day when the endpoint is away, and then no longer", async () => {
    await keys.find(clerk.kid);
    clerk.setDown(true);

    nowMs += 23 * 60 * MINUTE_MS;
    assert.ok(await keys.find(clerk.kid));
    nowMs += 61 * MINUTE_MS;
    assert.equal(await keys.find(clerk.kid), undefined);
  });

  it("take a new key in within half a minute, and drop the old one", async () => {
    const { kid } = clerk;
    assert.ok(await keys.find(kid));
    clerk.rotateKey();

    assert.equal(await keys.find(clerk.kid), undefined);
    nowMs += MINUTE_MS / 2;
    assert.ok(await keys.find(clerk.kid));
    assert.equal(await keys.find(kid), undefined);
  });

  it("are no more for strange ids, and no more often asked for", async () => {
    await keys.find(clerk.kid);
    nowMs += MINUTE_MS;
    const asked = clerk.jwksRequests;
    const strange = ["__proto__", "constructor", "toString", "", ...Array(200).keys()].map(String);

    const found = await Promise.all(strange.map((kid) => keys.find(kid)));

    assert.ok(found.every((key) => key === undefined));
    assert.equal(clerk.jwksRequests - asked, 1);
  });
});
