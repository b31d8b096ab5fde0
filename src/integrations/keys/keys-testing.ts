import { randomUUID } from "node:crypto";
import { createAudit, type Audit } from "#audit";
import { withTenant, type Database } from "#database";
import {
  createIds,
  createKeyring,
  createLog,
  createScrubber,
  fileKeyProvider,
  systemClock,
  type Keyring,
  type Log,
  type SealContext,
} from "#platform";
import { listCredentials, listCredentialVersions, writeCredential } from "../store.ts";
import { insertAccounts, insertCredentials } from "./testing/store.ts";
import type { KeyHeartbeat } from "./keep-keys.ts";

export const ORGANIZATION_ID = "00000000-0000-7000-8000-000000000001";
/** Fast, and long enough that a busy machine does not call a replica dead. */
export const FAST_HEARTBEAT: KeyHeartbeat = { everyMs: 50, liveMs: 2_000 };

const { signal } = new AbortController();

export function aLog(lines: string[] = []): Log {
  const destination = { write: (line: string) => lines.push(line) };
  return createLog({ level: "trace", format: "json", scrubber: createScrubber(), destination });
}

export async function keyringOf(path: string): Promise<Keyring> {
  return createKeyring({ provider: await fileKeyProvider({ path }) });
}

export function auditOf(db: Database, keyring: Keyring): Audit {
  return createAudit({ db, ids: createIds(), clock: systemClock, log: aLog(), keyring });
}

/** Integrations of an organization, ready for credentials; returns their ids. */
export async function someAccounts(
  db: Database,
  organizationId: string,
  count: number,
): Promise<readonly string[]> {
  const ids = Array.from({ length: count }, () => randomUUID());
  await withTenant(db, organizationId, (tx) => insertAccounts(tx, organizationId, ids));
  return ids;
}

interface Place {
  readonly organizationId: string;
  readonly integrationId: string;
}

/** Seals and stores a credential as its next version. False when another write came first. */
export async function writeSecret(
  db: Database,
  keyring: Keyring,
  { organizationId, integrationId }: Place,
  secret: string,
): Promise<boolean> {
  const credentialType = "bot_token";
  const versions = await withTenant(db, organizationId, (tx) =>
    listCredentialVersions(tx, organizationId, integrationId),
  );
  const version = (versions.get(credentialType) ?? 0) + 1;
  const context: SealContext = { organizationId, integrationId, credentialType, version };
  const record = await keyring.seal(context, Buffer.from(secret), { signal });
  return withTenant(db, organizationId, (tx) =>
    writeCredential(tx, organizationId, integrationId, {
      id: randomUUID(),
      credentialType,
      version,
      format: record.format,
      kekId: record.kekId,
      wrappedDek: Buffer.from(record.wrappedDek),
      ciphertext: Buffer.from(record.ciphertext),
      at: new Date(),
    }),
  );
}

/** Opens the credentials of an integration. Throws KeyringError for one that does not. */
export async function readSecrets(
  db: Database,
  keyring: Keyring,
  { organizationId, integrationId }: Place,
): Promise<readonly string[]> {
  const rows = await withTenant(db, organizationId, (tx) =>
    listCredentials(tx, organizationId, integrationId),
  );
  return Promise.all(
    rows.map(async ({ credentialType, version, ...record }) => {
      const context = { organizationId, integrationId, credentialType, version };
      return Buffer.from(await keyring.open(context, record, { signal })).toString();
    }),
  );
}

/** Many accounts with one credential each, stored at once; returns the ids of the integrations. */
export async function manySecrets(
  db: Database,
  keyring: Keyring,
  organizationId: string,
  count: number,
): Promise<readonly string[]> {
  const ids = await someAccounts(db, organizationId, count);
  const credentialType = "bot_token";
  const records = await Promise.all(
    ids.map(async (integrationId) => {
      const context = { organizationId, integrationId, credentialType, version: 1 };
      const sealed = await keyring.seal(context, Buffer.from(`of ${integrationId}`), { signal });
      return { integrationId, ...sealed };
    }),
  );
  await withTenant(db, organizationId, (tx) =>
    insertCredentials(tx, organizationId, credentialType, records),
  );
  return ids;
}
