import { randomBytes } from "node:crypto";
import { Client } from "pg";
import type { ConnectionOptions, Database } from "#database";
import {
  createIds,
  createKeyring,
  createLog,
  createScrubber,
  envKeyProvider,
  type Clock,
  type Keyring,
} from "#platform";
import { createAudit, type Audit, type AuditEntry } from "./index.ts";

export const ORGANIZATION_ID = "00000000-0000-7000-8000-000000000001";

/** A keyring with a key of its own. */
export async function aKeyring(): Promise<Keyring> {
  const material = randomBytes(32).toString("base64");
  const key = { id: "k1", created: "2026-01-01T00:00:00Z", state: "active", material };
  return createKeyring({
    provider: envKeyProvider(JSON.stringify({ primary: "k1", keys: [key] })),
  });
}

interface AuditParts {
  readonly db: Database;
  readonly keyring: Keyring;
  readonly clock?: Clock;
  readonly logLines?: string[];
}

export function anAudit({ db, keyring, clock, logLines = [] }: AuditParts): Audit {
  const scrubber = createScrubber();
  const destination = { write: (line: string) => logLines.push(line) };
  return createAudit({
    db,
    ids: createIds(),
    clock: clock ?? { now: () => new Date() },
    keyring,
    log: createLog({ level: "info", format: "json", scrubber, destination }),
  });
}

/** One act of somebody. */
export function anEntry(entry: Partial<AuditEntry> = {}): AuditEntry {
  return {
    organizationId: ORGANIZATION_ID,
    actor: { kind: "user", id: "user_alice" },
    action: "token.created",
    target: { kind: "token", id: "token-1" },
    outcome: "ok",
    details: { name: "ci", scopes: ["conversation:send"] },
    ...entry,
  };
}

/** What a database administrator can do: statements with every trigger switched off. */
export async function tamper(
  connection: ConnectionOptions,
  statements: readonly string[],
): Promise<void> {
  await execute(connection, ["set session_replication_role = replica", ...statements]);
}

/** Statements in a session of their own, in one transaction. */
export async function execute(
  connection: ConnectionOptions,
  statements: readonly string[],
): Promise<void> {
  const client = new Client(connection);
  await client.connect();
  try {
    await client.query(statements.join(";\n"));
  } finally {
    await client.end();
  }
}
