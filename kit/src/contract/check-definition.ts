import assert from "node:assert/strict";
import { it } from "node:test";
import type { StartVendor } from "./vendor.ts";

const LANGUAGE = /^[a-z][a-z0-9_]{0,62}$/;

/** What stands in the definition itself. */
export function checkDefinition(start: StartVendor): void {
  it("has an id, a name and addresses that can be served", async () => {
    await using vendor = await start();
    const { id, name, webhooks = [] } = vendor.connector;

    assert.match(id, /^[a-z][a-z0-9_-]{0,62}$/);
    assert.ok(name.length > 0 && name.length <= 100);
    for (const { path, bodyBytesMax, isPerIntegration } of webhooks) {
      assert.match(path, /^\/[a-z0-9/_:-]+$/);
      assert.equal(
        path.endsWith("/:id"),
        isPerIntegration === true,
        `${path} and isPerIntegration`,
      );
      assert.ok(bodyBytesMax > 0 && bodyBytesMax <= 25 * 1024 * 1024);
    }
    assert.equal(new Set(webhooks.map(({ path }) => path)).size, webhooks.length);
  });

  it("describes its operations for people, models and the policy", async (test) => {
    await using vendor = await start();
    const operations = vendor.connector.operations ?? [];
    if (operations.length === 0) return test.skip("no operations");

    assert.equal(new Set(operations.map(({ name }) => name)).size, operations.length);
    for (const operation of operations) {
      const { name, description, input, risk } = operation;
      assert.match(name, LANGUAGE);
      assert.ok(description.length >= 10 && description.length <= 1_000, `${name} is described`);
      assert.ok(["read", "write", "destructive"].includes(risk));
      const given = vendor.inputs?.[name];
      assert.ok(given, `the harness has an input for ${name}`);
      assert.ok(input.safeParse(given).success, `${name} takes the harness's input`);
      const isStrict = !input.safeParse({ ...given, surplus_of_the_contract: 1 }).success;
      assert.ok(isStrict, `${name} takes a field that it does not know`);
    }
  });
}
