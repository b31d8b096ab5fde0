import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, beforeEach, describe, it } from "node:test";
import {
  ConnectorError,
  Secret,
  defineConnector,
  type Connector,
  type Grant,
} from "@infragpt/connector-kit";
import { createAudit } from "#audit";
import { withTenant, type DatabaseTransaction } from "#database";
import { LOCAL_ORGANIZATION_ID as organizationId } from "#identity";
import {
  createIds,
  createKeyring,
  createLog,
  createScrubber,
  defineEvent,
  envKeyProvider,
  type Keyring,
} from "#platform";
import { createTestDatabase, type TestDatabase } from "../../../test/support/database.ts";
import { saveGrant } from "../connected/save-grant.ts";
import { findAnyIntegration } from "../connected/store.ts";
import { openSealed } from "../credentials.ts";
import { listCredentials } from "../store.ts";
import { createRefresher, type Refresher } from "./refresh-credentials.ts";
import { beginRefresh } from "./store.ts";

const HOUR_MS = 3_600_000;
const log = createLog({ level: "silent", format: "json", scrubber: createScrubber() });
const options = { signal: new AbortController().signal };
const ids = createIds();
const actor = { kind: "system", id: "test" } as const;
/** Nobody listens here. */
const events = { publish: async () => undefined, wake: () => void defineEvent("none") };

describe("Refreshing credentials", () => {
  let database: TestDatabase;
  let keyring: Keyring;
  /** The far side: what a vendor that rotates tokens does with a refresh token. */
  let vendor: { answer: (token: string) => Promise<void>; asked: string[] };
  let now: Date;
  let id: string;
  const clock = { now: () => now };
  const opened = new AsyncDisposableStack();

  before(async () => {
    database = opened.use(await createTestDatabase());
    const material = randomBytes(32).toString("base64");
    const keys = [{ id: "k1", created: "2026-01-01T00:00:00Z", state: "active", material }];
    const keyset = new Secret(JSON.stringify({ primary: "k1", keys }));
    keyring = await createKeyring({ provider: envKeyProvider(keyset.reveal()) });
  });
  after(() => opened.disposeAsync());

  beforeEach(async () => {
    now = new Date("2026-11-01T10:00:00Z");
    vendor = { answer: async () => undefined, asked: [] };
    id = await connect(ids());
  });

  function aConnector(): Connector {
    return defineConnector<Connector>({
      id: "rotating",
      name: "Rotating",
      refresh: {
        beforeExpiryMs: 2 * HOUR_MS,
        isSingleUse: true,
        async run({ credentials }) {
          const token = credentials["refresh_token"]!.reveal();
          vendor.asked.push(token);
          await vendor.answer(token);
          return aPair(`${token}+`);
        },
      },
    });
  }

  function aPair(token: string): Pick<Grant, "credentials" | "expiresAt"> {
    const credentials = {
      access_token: new Secret(`at-${token}`),
      refresh_token: new Secret(token),
    };
    return { credentials, expiresAt: new Date(now.getTime() + 12 * HOUR_MS) };
  }

  function deps() {
    const { db } = database;
    const audit = createAudit({ db, ids, clock, log, keyring });
    const connectors = new Map([["rotating", aConnector()]]);
    return { db, keyring, ids, clock, log, audit, events, connectors };
  }

  async function connect(accountId: string): Promise<string> {
    const profile = { accountId, accountName: accountId };
    const grant = { ...aPair("rt"), profile };
    const connector = aConnector();
    const input = { organizationId, connector, grant, actor };
    return (
      await saveGrant(
        { ...deps(), onConnected: async () => undefined, wakeConnected: () => undefined },
        input,
        options,
      )
    ).id;
  }

  function refresher(): Refresher {
    return createRefresher(deps());
  }

  function inTenant<Result>(work: (tx: DatabaseTransaction) => Promise<Result>): Promise<Result> {
    return withTenant(database.db, organizationId, work);
  }

  async function stored(): Promise<Record<string, string>> {
    const rows = await inTenant((tx) => listCredentials(tx, organizationId, id));
    const owner = { organizationId, integrationId: id };
    const secrets = await openSealed({ keyring }, owner, rows, options);
    return Object.fromEntries(Object.entries(secrets).map(([name, one]) => [name, one.reveal()]));
  }

  async function integration() {
    return (await inTenant((tx) => findAnyIntegration(tx, organizationId, id)))!;
  }

  function later(hours: number): void {
    now = new Date(now.getTime() + hours * HOUR_MS);
  }

  it("waits until the end is near, then stores the new pair", async () => {
    later(9);
    await refresher().refreshDue(options);
    assert.deepEqual(vendor.asked, []);

    later(1.5);
    await refresher().refreshDue(options);

    assert.deepEqual(vendor.asked, ["rt"]);
    assert.deepEqual(await stored(), { access_token: "at-rt+", refresh_token: "rt+" });
    const { credentialsExpireAt, health } = await integration();
    assert.equal(credentialsExpireAt?.getTime(), now.getTime() + 12 * HOUR_MS);
    assert.equal(health.status, "healthy");
  });

  it("asks the vendor once when eight replicas find it due at the same moment", async () => {
    later(11);

    await Promise.all(Array.from({ length: 8 }, () => refresher().refreshDue(options)));

    assert.deepEqual(vendor.asked, ["rt"]);
  });

  it("has written the attempt down before the vendor is asked", async () => {
    later(11);
    let seen = "";
    vendor.answer = async () => {
      seen = (await integration()).refreshState;
    };

    await refresher().refreshDue(options);

    assert.equal(seen, "running");
  });

  it("shows a lost answer at once and never uses the token again", async () => {
    later(11);
    vendor.answer = async () => {
      throw new ConnectorError("uncertain", "the answer was cut off");
    };

    await refresher().refreshDue(options);
    later(1);
    await refresher().refreshDue(options);

    assert.deepEqual(vendor.asked, ["rt"]);
    const { health, refreshState } = await integration();
    assert.equal(health.status, "expired");
    assert.match(health.detail ?? "", /reconnect/);
    assert.equal(refreshState, "failed");
  });

  it("shows an attempt whose replica died in it", async () => {
    later(11);
    await inTenant((tx) =>
      beginRefresh(tx, organizationId, id, { at: now, until: new Date(now.getTime() + HOUR_MS) }),
    );
    await refresher().refreshDue(options);
    assert.equal((await integration()).health.status, "healthy");

    later(0.1);
    await refresher().refreshDue(options);

    assert.deepEqual(vendor.asked, []);
    assert.equal((await integration()).health.status, "expired");
  });

  it("tries again when the vendor did not perform it, no sooner than it asks", async () => {
    later(11);
    vendor.answer = async () => {
      throw new ConnectorError("rate_limited", "slow down", { retryAfterMs: 600_000 });
    };
    await refresher().refreshDue(options);
    await refresher().refreshDue(options);
    vendor.answer = async () => undefined;
    later(0.2);

    await refresher().refreshDue(options);

    assert.deepEqual(vendor.asked, ["rt", "rt"]);
    assert.equal((await integration()).health.status, "healthy");
    assert.equal((await stored())["refresh_token"], "rt+");
  });

  it("leaves alone what a person reconnected while the vendor was asked", async () => {
    later(11);
    const { profile } = await integration();
    vendor.answer = async () => {
      await connect(profile.accountId);
    };

    await refresher().refreshDue(options);

    assert.deepEqual(await stored(), { access_token: "at-rt", refresh_token: "rt" });
    assert.equal((await integration()).refreshState, "idle");
  });
});
