import { withSystem, type Database } from "#database";
import { deadline, KeyringError, type Abortable, type Keyring, type Log } from "#platform";
import type { MovedRecord, StoredRecord } from "./model.ts";
import {
  insertUndecryptable,
  lockRecords,
  saveMoved,
  SEALED_TABLES,
  type SealedTable,
} from "./store.ts";

/** Records in one transaction: they stay locked while their keys are wrapped. */
const BATCH_LOCAL = 500;
/** A key service takes 10 ms a call, and somebody may be waiting to write one of the records. */
const BATCH_REMOTE = 32;
const BATCH_TIMEOUT_MS = 15_000;

export interface RewrapDeps {
  readonly db: Database;
  readonly keyring: Keyring;
  readonly log: Log;
}

export interface RewrapOutcome {
  readonly moved: number;
  readonly undecryptable: number;
}

/**
 * Brings one batch of records to the primary key: `moved` and `undecryptable` are 0 when there is
 * nothing left that this process can take. The plaintext stays sealed unless `makesNewDataKeys`.
 * Several replicas work side by side; a crash undoes a batch and loses nothing. A record that does
 * not open is set aside, told once, and does not stop the others.
 */
export async function rewrapBatch(
  deps: RewrapDeps,
  { makesNewDataKeys }: { readonly makesNewDataKeys: boolean },
  { signal }: Abortable,
): Promise<RewrapOutcome> {
  const primary = deps.keyring.primaryKeyId();
  const former = deps.keyring.knownKeyIds().filter((id) => id !== primary);
  for (const table of SEALED_TABLES) {
    for (const kekId of former) {
      const outcome = await rewrapSome(deps, { table, kekId, makesNewDataKeys }, signal);
      if (outcome.moved + outcome.undecryptable > 0) return outcome;
    }
  }
  return { moved: 0, undecryptable: 0 };
}

interface Part {
  readonly table: SealedTable;
  readonly kekId: string;
  readonly makesNewDataKeys: boolean;
}

async function rewrapSome(
  { db, keyring, log }: RewrapDeps,
  { table, kekId, makesNewDataKeys }: Part,
  signal: AbortSignal,
): Promise<RewrapOutcome> {
  const isLocal = keyring.providerId === "file" || keyring.providerId === "env";
  const limit = isLocal ? BATCH_LOCAL : BATCH_REMOTE;
  const bounded = { signal: deadline(signal, BATCH_TIMEOUT_MS) };
  return withSystem(db, "bring records to the primary key", async (tx) => {
    const records = await lockRecords(tx, table, {
      kekId,
      limit,
      withCiphertext: makesNewDataKeys,
    });
    const results = await Promise.all(
      records.map((record) => moveOrSetAside(keyring, record, makesNewDataKeys, bounded)),
    );
    const moved = await saveMoved(
      tx,
      table,
      results.filter((result) => result !== undefined),
    );
    const closed = records.filter((_, index) => results[index] === undefined);
    for (const recordId of await insertUndecryptable(tx, table, closed)) {
      const { context } = closed.find(({ id }) => id === recordId) ?? {};
      log.error(
        { table: table.name, recordId, kekId, organizationId: context?.organizationId },
        "a stored record does not open with its key and is set aside: connect its account again",
      );
    }
    return { moved, undecryptable: closed.length };
  });
}

/** Undefined for a record that its key does not open. Throws when the keys cannot be asked. */
async function moveOrSetAside(
  keyring: Keyring,
  record: StoredRecord,
  makesNewDataKeys: boolean,
  options: Abortable,
): Promise<MovedRecord | undefined> {
  try {
    return makesNewDataKeys
      ? await reencrypted(keyring, record, options)
      : await rewrapped(keyring, record, options);
  } catch (error) {
    if (error instanceof KeyringError && error.kind === "undecryptable") return undefined;
    throw error;
  }
}

async function rewrapped(
  keyring: Keyring,
  record: StoredRecord,
  options: Abortable,
): Promise<MovedRecord> {
  const next = await keyring.rewrap(record.context, record, options);
  return { from: record, ...next, ciphertext: undefined };
}

async function reencrypted(
  keyring: Keyring,
  record: StoredRecord,
  options: Abortable,
): Promise<MovedRecord> {
  const plaintext = await keyring.open(record.context, record, options);
  try {
    const { kekId, wrappedDek, ciphertext } = await keyring.seal(
      record.context,
      plaintext,
      options,
    );
    return { from: record, kekId, wrappedDek, ciphertext };
  } finally {
    plaintext.fill(0);
  }
}
