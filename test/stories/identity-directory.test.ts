import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { sql } from "kysely";
import type { App } from "#app";
import {
  membershipEvent,
  organizationEvent,
  startFakeClerk,
  userEvent,
  type ClerkEvent,
  type FakeClerk,
  type SignedDelivery,
} from "../fakes/clerk/index.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { aHome, startService } from "../support/service.ts";

const ORDERS = 200;
const SEED = 20_261_123;
const T = 1_750_000_000_000;

describe("What Clerk tells of people and organizations", () => {
  let clerk: FakeClerk;
  let database: TestDatabase;
  let service: App;
  const opened = new AsyncDisposableStack();
  const oldSecret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

  before(async () => {
    clerk = opened.use(await startFakeClerk());
    database = opened.use(await createTestDatabase());
    const home = opened.use(aHome());
    service = opened.use(
      await startService({
        databaseUrl: database.url,
        home: home.path,
        clerk: { ...clerk, webhookSecrets: [clerk.webhookSecret, oldSecret] },
      }),
    );
  });
  after(() => opened.disposeAsync());

  async function deliver({ headers, body }: SignedDelivery, base?: string): Promise<number> {
    const url = `${base ?? service.addresses.directoryWebhooks}/webhooks/clerk`;
    const answer = await fetch(url, { method: "POST", headers, body: Buffer.from(body) });
    return answer.status;
  }

  it(`leads to the same state in ${ORDERS} random orders with redeliveries`, async () => {
    const random = seeded(SEED);
    const runs = Array.from({ length: ORDERS }, (_, index) => ({
      prefix: `r${index}`,
      deliveries: shuffled(random, withRedeliveries(random, clerk, scenario(`r${index}`))),
    }));

    await inParallel(8, runs, async ({ deliveries }) => {
      // Two at a time: the sender does not wait for one before the next.
      await inParallel(2, deliveries, async (delivery) => {
        assert.equal(await deliver(delivery), 204);
      });
    });

    for (const { prefix } of runs) {
      assert.deepEqual(await stateOf(database, prefix), EXPECTED, `order ${prefix}`);
    }
  });

  it("is taken on the main port too, with the secret that is being replaced, under either name", async () => {
    const sent = clerk.signWebhook(organizationEvent("created", { id: "org_main", atMs: T }), {
      secret: oldSecret,
      prefix: "webhook",
    });

    assert.equal(await deliver(sent, service.addresses.http), 204);
    assert.deepEqual((await stateOf(database, "org_main")).organizations, [
      "org_main Acme acme live",
    ]);
  });

  it("is refused when it is not signed for these very bytes, this time and this id", async () => {
    const good = clerk.signWebhook(organizationEvent("created", { id: "org_bad", atMs: T }));
    const twin = Buffer.from([0xff]);
    const repaired = Buffer.from(twin.toString("utf8"));
    const bad: readonly SignedDelivery[] = [
      { ...good, body: Buffer.concat([good.body, Buffer.from(" ")]) },
      { ...good, headers: { ...good.headers, "svix-id": "msg_other" } },
      { ...good, headers: { ...good.headers, "svix-signature": "v1," } },
      { ...good, headers: { ...good.headers, "svix-signature": "v1a,abc v2,abc" } },
      { headers: { "content-type": "application/json" }, body: good.body },
      clerk.signWebhook({}, { atMs: Date.now() - 301_000 }),
      clerk.signWebhook({}, { atMs: Date.now() + 301_000 }),
      clerk.signWebhook({}, { id: "msg.with.points" }),
      clerk.signWebhook({}, { secret: `whsec_${Buffer.alloc(32, 9).toString("base64")}` }),
      // Signed for the repaired text, sent with the broken bytes.
      { ...clerk.signWebhook(repaired), body: twin },
    ];

    for (const [index, delivery] of bad.entries()) {
      assert.equal(await deliver(delivery), 401, `delivery ${index}`);
    }
    assert.deepEqual((await stateOf(database, "org_bad")).organizations, []);
  });

  it("is acknowledged where we have no use for it, and refused where it makes no sense", async () => {
    const unknown = { type: "session.created", object: "event", data: { id: "sess_1" } };
    const senseless = { type: "user.created", data: { id: 7 } };

    assert.equal(await deliver(clerk.signWebhook(unknown)), 204);
    assert.equal(await deliver(clerk.signWebhook(senseless)), 400);
    assert.equal(await deliver(clerk.signWebhook(Buffer.from([0xff, 0xfe]))), 400);
  });
});

/** Every one of the nine events: a rename, a promotion, a person who leaves, one who comes back, a deleted organization. */
function scenario(p: string): readonly ClerkEvent[] {
  const [org, gone] = [`${p}_org`, `${p}_gone`];
  const [ana, ben, eva] = [`${p}_ana`, `${p}_ben`, `${p}_eva`];
  function membership(id: string, userId: string, organizationId = org) {
    return { id: `${p}_${id}`, organizationId, userId };
  }
  return [
    organizationEvent("created", { id: org, atMs: T + 1 }),
    organizationEvent("updated", { id: org, atMs: T + 5, name: "Renamed" }),
    organizationEvent("created", { id: gone, atMs: T + 2, name: "Gone" }),
    organizationEvent("deleted", { id: gone, atMs: T + 8 }),
    userEvent("created", { id: ana, atMs: T + 1 }),
    userEvent("updated", { id: ana, atMs: T + 6, firstName: "Anabel", email: "a@example.com" }),
    userEvent("created", { id: ben, atMs: T + 3 }),
    userEvent("deleted", { id: ben, atMs: T + 9 }),
    membershipEvent("created", { ...membership("m1", ana), atMs: T + 3 }),
    membershipEvent("updated", { ...membership("m1", ana), atMs: T + 7, role: "org:admin" }),
    membershipEvent("created", { ...membership("m2", ben), atMs: T + 4 }),
    membershipEvent("deleted", { ...membership("m2", ben), atMs: T + 9 }),
    // Eva leaves and comes back; nothing else is ever told of her.
    membershipEvent("created", { ...membership("m3", eva), atMs: T + 3 }),
    membershipEvent("deleted", { ...membership("m3", eva), atMs: T + 5 }),
    membershipEvent("created", { ...membership("m4", eva), atMs: T + 6, role: "org:custom" }),
    membershipEvent("created", { ...membership("m5", ana, gone), atMs: T + 3 }),
  ];
}

const EXPECTED = {
  organizations: ["gone Gone gone deleted", "org Renamed renamed live"],
  users: ["ana Anabel a@example.com verified live", "ben  - - deleted", "eva  - - live"],
  memberships: [
    "m1 org ana org:admin live",
    "m2 org ben org:member deleted",
    "m3 org eva org:member deleted",
    "m4 org eva org:custom live",
    "m5 gone ana org:member live",
  ],
  organizationsDeletedEvents: 1,
};

/** What is known of one order's people and organizations, as lines. */
async function stateOf({ db }: TestDatabase, prefix: string) {
  function short(id: string | null): string {
    return (id ?? "").replace(`${prefix}_`, "");
  }
  const like = `${prefix}\\_%`;
  const organizations = await db
    .selectFrom("organizations")
    .select(["clerk_org_id", "name", "slug", "deleted_at"])
    .where((where) =>
      where.or([where("clerk_org_id", "like", like), where("clerk_org_id", "=", prefix)]),
    )
    .orderBy("clerk_org_id")
    .execute();
  const users = await db
    .selectFrom("users")
    .selectAll()
    .where("clerk_user_id", "like", like)
    .orderBy("clerk_user_id")
    .execute();
  const memberships = await db
    .selectFrom("memberships")
    .innerJoin("organizations", "organizations.id", "memberships.organization_id")
    .innerJoin("users", "users.id", "memberships.user_id")
    .select([
      "clerk_membership_id",
      "clerk_org_id",
      "clerk_user_id",
      "role",
      "memberships.deleted_at",
    ])
    .where("clerk_membership_id", "like", like)
    .orderBy("clerk_membership_id")
    .execute();
  const { rows } = await sql<{ deleted: number }>`
    select count(*)::int as deleted from audit_entries
    join organizations on organizations.id = audit_entries.organization_id
    where clerk_org_id like ${like} and action = 'organization.deleted'`.execute(db);
  return {
    organizations: organizations.map(
      (row) => `${short(row.clerk_org_id)} ${row.name} ${row.slug} ${lifeOf(row)}`,
    ),
    users: users.map(
      (row) =>
        `${short(row.clerk_user_id)} ${row.name} ${row.email ?? "-"} ${row.is_email_verified ? "verified" : "-"} ${lifeOf(row)}`,
    ),
    memberships: memberships.map(
      (row) =>
        `${short(row.clerk_membership_id)} ${short(row.clerk_org_id)} ${short(row.clerk_user_id)} ${row.role} ${lifeOf(row)}`,
    ),
    organizationsDeletedEvents: rows[0]?.deleted,
  };
}

function lifeOf({ deleted_at }: { readonly deleted_at: Date | null }): "live" | "deleted" {
  return deleted_at ? "deleted" : "live";
}

function withRedeliveries(
  random: () => number,
  clerk: FakeClerk,
  events: readonly ClerkEvent[],
): readonly SignedDelivery[] {
  return events.flatMap((event) => {
    const delivery = clerk.signWebhook(event);
    return random() < 0.3 ? [delivery, delivery] : [delivery];
  });
}

function shuffled<Item>(random: () => number, items: readonly Item[]): readonly Item[] {
  return items
    .map((item) => ({ item, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** mulberry32: the same orders in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

async function inParallel<Item>(
  lanes: number,
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const waiting = items.values();
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (const item of waiting) await work(item);
    }),
  );
}
