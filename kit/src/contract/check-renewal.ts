import assert from "node:assert/strict";
import { it } from "node:test";
import { assertCredentials, assertKind, inTime, refusalOf } from "./checking.ts";
import type { StartVendor } from "./vendor.ts";

/** Refreshing and giving back. */
export function checkRenewal(start: StartVendor): void {
  it("refreshes credentials into others of the same names", async (test) => {
    await using vendor = await start();
    const { refresh } = vendor.connector;
    if (!refresh) return test.skip("credentials do not expire");
    const connection = await vendor.connect();

    const fresh = await refresh.run(connection, inTime());

    assertCredentials(fresh.credentials);
    assert.ok(refresh.beforeExpiryMs > 0);
    for (const [name, secret] of Object.entries(fresh.credentials)) {
      assert.ok(name in connection.credentials, `${name} is new`);
      assert.notEqual(
        secret.reveal(),
        connection.credentials[name]?.reveal(),
        `${name} is as before`,
      );
    }
    const renewed = { ...connection.credentials, ...fresh.credentials };
    if (vendor.accepts) assert.ok(vendor.accepts(renewed), "the vendor takes them");
  });

  it("says that nobody knows when the answer of a refresh is lost", async (test) => {
    await using vendor = await start();
    const { refresh } = vendor.connector;
    if (!refresh?.isSingleUse) return test.skip("a refresh may be repeated");
    const connection = await vendor.connect();

    vendor.fail({ kind: "answer_lost" });
    const lost = await refusalOf(vendor, "a lost answer", () => refresh.run(connection, inTime()));
    vendor.fail(undefined);
    const again = await refusalOf(vendor, "a token used twice", () =>
      refresh.run(connection, inTime()),
    );

    assertKind(lost, "a lost answer", ["uncertain"]);
    assertKind(again, "a token used twice", ["unauthorized", "rejected"]);
  });

  it("says when a refresh was not performed, so that it may be repeated", async (test) => {
    await using vendor = await start();
    const { refresh } = vendor.connector;
    if (!refresh) return test.skip("credentials do not expire");
    const connection = await vendor.connect();

    vendor.fail({ kind: "rate_limited", retryAfterSeconds: 7 });
    const limited = await refusalOf(vendor, "a limited refresh", () =>
      refresh.run(connection, inTime()),
    );
    vendor.fail(undefined);

    assertKind(limited, "a limited refresh", ["rate_limited"]);
    await refresh.run(connection, inTime());
  });

  it("takes a grant back, and finds nothing wrong with one that is gone", async (test) => {
    await using vendor = await start();
    const { connector } = vendor;
    if (!connector.revoke) return test.skip("nothing to take back");
    const connection = await vendor.connect();

    await connector.revoke(connection, inTime());
    await connector.revoke(connection, inTime());

    // A key or a role is the customer's: only what was prepared there is taken back.
    const kind = connector.authorization?.kind;
    if (kind === "api_key" || kind === "role") return;
    if (vendor.accepts) assert.equal(vendor.accepts(connection.credentials), false);
    const health = await connector.checkHealth?.(connection, inTime());
    assert.notEqual(health?.status, "healthy");
  });

  it("does not take a vendor that is away for a grant that is gone", async (test) => {
    await using vendor = await start();
    const { connector } = vendor;
    if (!connector.revoke) return test.skip("nothing to take back");
    const connection = await vendor.connect();

    vendor.fail({ kind: "server_error" });
    const away = await refusalOf(vendor, "an absent vendor", async () =>
      connector.revoke?.(connection, inTime()),
    );

    assertKind(away, "an absent vendor", ["unavailable", "uncertain", "rate_limited"]);
  });
}
