import assert from "node:assert/strict";
import { createHash, createPublicKey, randomUUID, verify } from "node:crypto";
import { after, test } from "node:test";
import type { Principal } from "#platform";
import { createTestDatabase } from "../../test/support/database.ts";
import { canonicalJson, type Json } from "./canonical-json.ts";
import { signedBytesOf } from "./chain.ts";
import { aKeyring, anAudit, anEntry } from "./testing.ts";

const database = await createTestDatabase();
after(() => database[Symbol.asyncDispose]());
const { db } = database;
let now = new Date("2026-11-01T10:00:00Z");
const audit = anAudit({ db, keyring: await aKeyring(), clock: { now: () => now } });
const { signal } = new AbortController();
const BY = { kind: "local", id: "cli" } as const;

test("lists the newest entries of the principal's own organization, page by page", async () => {
  const [organizationId, other] = [randomUUID(), randomUUID()];
  for (const id of ["a", "b", "c"]) {
    await audit.record(anEntry({ organizationId, target: { kind: "token", id } }));
    await audit.record(anEntry({ organizationId: other, target: { kind: "token", id: "other" } }));
  }
  const principal = aPrincipal(organizationId);

  const first = await audit.list(principal, { limit: 2 });
  const second = await audit.list(principal, { limit: 2, beforeSeq: first.nextBeforeSeq });

  assert.deepEqual(
    [first, second].map((page) => page.entries.map((entry) => entry.target?.id)),
    [["c", "b"], ["a"]],
  );
  assert.equal(second.nextBeforeSeq, undefined);
});

test("finds what one person did, and one kind of act", async () => {
  const organizationId = randomUUID();
  const actor = { kind: "user", id: "user_bob" } as const;
  await audit.record(anEntry({ organizationId }));
  await audit.record(anEntry({ organizationId, actor, action: "token.revoked" }));
  const principal = aPrincipal(organizationId);

  const byBob = await audit.list(principal, { limit: 50, actorId: "user_bob" });
  const created = await audit.list(principal, { limit: 50, action: "token.created" });

  assert.deepEqual(
    [byBob, created].map((page) => page.entries.map((entry) => entry.seq)),
    [[2], [1]],
  );
});

test("shows nothing without the permission", async () => {
  const principal = { ...aPrincipal(randomUUID()), permissions: new Set<string>() };

  await assert.rejects(audit.list(principal, { limit: 1 }), { code: "forbidden" });
});

test("exports lines that prove themselves without the database", async () => {
  const organizationId = randomUUID();
  await audit.record(anEntry({ organizationId }));
  await audit.record(anEntry({ organizationId, details: { b: 1.5, a: ["é", null] } }));

  const lines = await linesOf(organizationId, {});

  assert.deepEqual(
    lines.map(({ kind, seq }) => `${kind} ${seq}`),
    ["entry 1", "entry 2", "entry 3", "signed_head 3"],
  );
  for (const line of lines.slice(0, 3)) assert.equal(hashOfLine(line), line.hash);
  assert.equal(isSignatureGood(lines[3]!), true);
});

test("exports what happened in a time, and that it was exported", async () => {
  const organizationId = randomUUID();
  for (const day of ["01", "02", "03"]) {
    now = new Date(`2026-10-${day}T12:00:00Z`);
    await audit.record(anEntry({ organizationId }));
  }
  now = new Date("2026-11-01T10:00:00Z");
  const to = new Date("2026-10-03T00:00:00Z");

  const lines = await linesOf(organizationId, { from: new Date("2026-10-02T00:00:00Z"), to });

  assert.deepEqual(
    lines.map(({ kind, seq }) => `${kind} ${seq}`),
    ["entry 2", "signed_head 4"],
  );
  const newest = await audit.list(aPrincipal(organizationId), { limit: 1 });
  assert.partialDeepStrictEqual(newest.entries[0], { action: "audit.exported", actor: BY });
});

/** An entry or a signed head; each test looks at what it has. */
interface Line {
  readonly kind: string;
  readonly organization_id: string;
  readonly seq: number;
  readonly at: string;
  readonly prev_hash: string;
  readonly hash: string;
  readonly body: Json;
  readonly signed_at: string;
  readonly public_key: string;
  readonly signature: string;
}

async function linesOf(id: string, range: { from?: Date; to?: Date }): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const line of audit.export(id, { ...range, by: BY }, { signal })) {
    lines.push(JSON.parse(line));
  }
  return lines;
}

/** Written from the description of the format, not with the code that made the line. */
function hashOfLine(line: Line): string {
  const hash = createHash("sha256");
  const fields = [
    Buffer.from("infragpt/audit/1"),
    Buffer.from(line.prev_hash, "hex"),
    Buffer.from(line.organization_id),
    Buffer.from(String(line.seq)),
    Buffer.from(String(Date.parse(line.at) * 1000)),
    Buffer.from(canonicalJson(line.body)),
  ];
  for (const field of fields) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(field.length);
    hash.update(length).update(field);
  }
  return hash.digest("hex");
}

function isSignatureGood(line: Line): boolean {
  const signed = signedBytesOf({
    organizationId: line.organization_id,
    seq: line.seq,
    hash: Buffer.from(line.hash, "hex"),
    signedAt: new Date(line.signed_at),
  });
  const publicKey = Buffer.from(line.public_key, "base64");
  const key = createPublicKey({ key: publicKey, format: "der", type: "spki" });
  return verify(null, signed, key, Buffer.from(line.signature, "base64"));
}

function aPrincipal(organizationId: string): Principal {
  return {
    kind: "user",
    organizationId,
    id: "user_alice",
    permissions: new Set(["audit:read"]),
  };
}
