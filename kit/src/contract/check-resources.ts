import assert from "node:assert/strict";
import { it } from "node:test";
import { inTime } from "./checking.ts";
import type { StartVendor } from "./vendor.ts";

const PAGES_MAX = 1_000;

/** Listing what an account shares. */
export function checkResources(start: StartVendor): void {
  it("lists every resource once, through all pages", async (test) => {
    await using vendor = await start();
    const { resources } = vendor.connector;
    if (!resources || !vendor.resourceIds) return test.skip("no resources");
    const connection = await vendor.connect();

    const ids: string[] = [];
    let pageToken: string | undefined;
    let pages = 0;
    do {
      const page = await resources.list(connection, pageToken ? { pageToken } : {}, inTime());
      ids.push(...page.resources.map(({ id }) => id));
      assert.notEqual(page.nextPageToken ?? "", pageToken, "a page leads to itself");
      pageToken = page.nextPageToken;
      pages += 1;
      assert.ok(pages < PAGES_MAX, "the pages never end");
    } while (pageToken !== undefined);

    assert.ok(pages > 1, "the harness has resources for more than one page");
    assert.deepEqual(inOrder(ids), inOrder(vendor.resourceIds));
  });
}

function inOrder(list: readonly string[]): readonly string[] {
  return list.toSorted((a, b) => a.localeCompare(b));
}
