// Figures of row-level security and the audit log on a durable embedded PostgreSQL:
//   node bench/tenancy.ts
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { createAudit, type Audit } from "#audit";
import {
  migrate,
  openDatabase,
  withTenant,
  type Database,
  type DatabaseTransaction,
} from "#database";
import {
  createIds,
  createKeyring,
  createLog,
  createScrubber,
  envKeyProvider,
  systemClock,
} from "#platform";

const SECONDS = Number(process.env["BENCH_SECONDS"] ?? 4);
const log = createLog({ level: "warn", format: "json", scrubber: createScrubber() });
const { signal } = new AbortController();
const organizationId = randomUUID();

const directory = await mkdtemp(join(tmpdir(), "infragpt-bench-"));
const database = await openDatabase({
  connection: { kind: "embedded", directory, attach: false, poolSize: 10 },
  log,
  signal,
  waitMs: 30_000,
});
try {
  await migrate(database.db, { log });
  await fillIntegrations(database.db);
  await measureTransactions(database.db);
  await measureAudit(database.db);
} finally {
  await database.close();
  await rm(directory, { recursive: true, force: true });
}

async function fillIntegrations(db: Database): Promise<void> {
  await sql`
    insert into organizations (id, name, slug)
    values (${organizationId}, 'A', 'a')`.execute(db);
  await sql`
    insert into integrations (id, organization_id, connector_type, connector_organization_id)
    select gen_random_uuid(), ${organizationId}, 'slack', n::text
    from generate_series(1, 1000) as n`.execute(db);
  await sql`analyze integrations`.execute(db);
}

/** One caller, one after the other: what a request waits for. */
async function measureTransactions(db: Database): Promise<void> {
  const ways: Record<string, () => Promise<unknown>> = {
    "begin, query, commit (no wall)": () => db.transaction().execute(readOne),
    withTenant: () => withTenant(db, organizationId, readOne),
    "begin apart, role and set_config in one": () =>
      db.transaction().execute(async (tx) => {
        await sql
          .raw(
            `set local role infragpt_app; select set_config('app.organization_id', '${organizationId}', true)`,
          )
          .execute(tx);
        return readOne(tx);
      }),
    "the same in separate round trips": () =>
      db.transaction().execute(async (tx) => {
        await sql`set local role infragpt_app`.execute(tx);
        await sql`select set_config('app.organization_id', ${organizationId}, true)`.execute(tx);
        return readOne(tx);
      }),
  };
  const times = new Map<string, number[]>(Object.keys(ways).map((name) => [name, []]));
  // Turn by turn, so that whatever else the machine does meets all of them.
  const endMs = performance.now() + SECONDS * 2000;
  while (performance.now() < endMs) {
    for (const [name, way] of Object.entries(ways)) {
      const startedMs = performance.now();
      await way();
      times.get(name)?.push(performance.now() - startedMs);
    }
  }
  for (const [name, all] of times) {
    const median = all.toSorted((a, b) => a - b)[all.length >> 1] ?? 0;
    print(name, `${median.toFixed(3)} ms (median of ${all.length})`);
  }
}

function readOne(tx: DatabaseTransaction) {
  return tx
    .selectFrom("integrations")
    .select(["id", "label", "status"])
    .where("organization_id", "=", organizationId)
    .where("connector_organization_id", "=", "500")
    .executeTakeFirstOrThrow();
}

async function measureAudit(db: Database): Promise<void> {
  const audit = createAudit({
    db,
    ids: createIds(),
    clock: systemClock,
    log,
    keyring: await aKeyring(),
  });
  const [one = "", ...others] = Array.from({ length: 9 }, () => randomUUID());
  print("audit appends, 8 clients on one organization", await appendsPerSecond(db, audit, [one]));
  print("audit appends, 8 clients on eight", await appendsPerSecond(db, audit, others));
  const startedMs = performance.now();
  const verified = await audit.verify(one, { signal });
  const seconds = (performance.now() - startedMs) / 1000;
  if (!verified.ok) throw new Error(verified.reason);
  print("audit verify", `${Math.round(verified.rows / seconds)} rows/s of ${verified.rows}`);
}

async function appendsPerSecond(db: Database, audit: Audit, organizations: readonly string[]) {
  let count = 0;
  const endMs = performance.now() + SECONDS * 1000;
  async function client(n: number): Promise<void> {
    const id = organizations[n % organizations.length] ?? "";
    for (; performance.now() < endMs; count++) {
      await withTenant(db, id, (tx) =>
        audit.append(tx, {
          organizationId: id,
          actor: { kind: "user", id: "user_alice" },
          action: "token.created",
          target: { kind: "token", id: String(count) },
          outcome: "ok",
          details: { name: "ci", scopes: ["conversation:send"] },
        }),
      );
    }
  }
  await Promise.all(Array.from({ length: 8 }, (_, n) => client(n)));
  return `${Math.round(count / SECONDS)}/s`;
}

async function aKeyring() {
  const material = randomBytes(32).toString("base64");
  const key = { id: "k1", created: "2026-01-01T00:00:00Z", state: "active", material };
  const keyset = JSON.stringify({ primary: "k1", keys: [key] });
  return createKeyring({ provider: envKeyProvider(keyset) });
}

function print(name: string, figure: string): void {
  console.log(`${name.padEnd(48)} ${figure}`);
}
