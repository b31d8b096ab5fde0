import { setTimeout as sleep } from "node:timers/promises";
import type { Audit } from "#audit";
import { withSystem, type Database } from "#database";
import { AppError, createKeyring, KeyringError, type Abortable, type KeysetFile } from "#platform";
import { checkKeys } from "./check-keys.ts";
import { KEY_HEARTBEAT, keyEntry, type KeyHeartbeat } from "./keep-keys.ts";
import type { Replica } from "./model.ts";
import { rewrapBatch, type RewrapDeps } from "./rewrap-records.ts";
import {
  activateKey,
  insertKey,
  listKeys,
  listKeyUses,
  listLiveReplicas,
  tryLockRotation,
  unlockRotation,
} from "./store.ts";

export interface RotateKeysDeps extends RewrapDeps {
  readonly audit: Pick<Audit, "append">;
  /** Where the keys are a file that may be changed; elsewhere the configuration names the next key. */
  readonly keysetFile?: KeysetFile;
  readonly heartbeat?: KeyHeartbeat;
  /** How long running replicas have to take the key on: 60 s. */
  readonly replicasWaitMs?: number;
}

export interface RotateKeysOptions extends Abortable {
  /** Gives every record a new data key too: for when data keys may have been seen. Opens the plaintext. */
  readonly makesNewDataKeys: boolean;
  readonly onProgress?: (progress: RotationProgress) => void;
}

export type RotationProgress =
  | { readonly step: "waiting"; readonly keyId: string; readonly replicas: readonly string[] }
  | {
      readonly step: "moving";
      readonly keyId: string;
      readonly done: number;
      readonly total: number;
    };

export interface Rotation {
  readonly keyId: string;
  /** Records that were brought to it while this ran, by whichever replica. */
  readonly moved: number;
  /** Records that their key does not open; they stay as they are. */
  readonly undecryptable: number;
}

const REPLICAS_WAIT_MS = 60_000;
const LOOK_AGAIN_MS = 250;
/** Counting takes longer than a batch. */
const COUNT_EVERY_MS = 500;

/**
 * Replaces the primary key while the service runs, and goes on where an earlier run ended. First
 * every running replica learns the next key, then it seals, then every record is brought to it.
 * Throws AppError("conflict") when another rotation runs or a replica does not take the key on.
 */
export async function rotateKeys(
  deps: RotateKeysDeps,
  options: RotateKeysOptions,
): Promise<Rotation> {
  return deps.db.connection().execute(async (session) => {
    if (!(await tryLockRotation(session))) {
      throw new AppError("conflict", "Another rotation is running: wait for it.");
    }
    try {
      return await rotateLocked(deps, options);
    } finally {
      await unlockRotation(session);
    }
  });
}

async function rotateLocked(deps: RotateKeysDeps, options: RotateKeysOptions): Promise<Rotation> {
  const { keyring, keysetFile } = deps;
  await keyring.reload();
  // Without a key that is needed, the next one could take its id.
  await checkKeys(deps, options);
  if (keysetFile)
    await register(deps, keyring.primaryKeyId(), { ...options, makesNewDataKeys: false });
  const keyId = keysetFile
    ? await nextKeyOfFile(deps, keysetFile)
    : await refuseNothingToDo(deps, keyring.primaryKeyId());
  await register(deps, keyId, options);
  await untilReplicas(deps, keyId, (replica) => replica.knownKeyIds.includes(keyId), options);
  // Before the promotion: from then on every replica helps.
  const atStart = await countOutside(deps.db, keyId);
  if (keyring.primaryKeyId() !== keyId) {
    await keysetFile?.promote(keyId);
    await keyring.reload();
  }
  await withSystem(deps.db, "promote a key", async (tx) => {
    if (await activateKey(tx, keyId)) await deps.audit.append(tx, keyEntry("key.promoted", keyId));
  });
  // A replica that still seals with the former key would add records behind the count.
  if (keysetFile) {
    await untilReplicas(deps, keyId, (replica) => replica.primaryKeyId === keyId, options);
  }
  return moveAll(deps, keyId, atStart, options);
}

/** The pending key of an earlier run, or the primary one while records are missing under it, or a new one. */
async function nextKeyOfFile(deps: RotateKeysDeps, file: KeysetFile): Promise<string> {
  const pending = (await file.list()).find(({ state }) => state === "pending");
  const primary = deps.keyring.primaryKeyId();
  const isUnfinished = (await countOutside(deps.db, primary)).remaining > 0;
  if (pending === undefined && isUnfinished) return primary;
  const keyId = pending?.id ?? (await file.addPending());
  await deps.keyring.reload();
  return keyId;
}

async function refuseNothingToDo({ db }: RotateKeysDeps, primary: string): Promise<string> {
  const registered = await withSystem(db, "read the registered keys", listKeys);
  const isActive = registered.some(({ id, state }) => id === primary && state === "active");
  const { remaining } = await countOutside(db, primary);
  if (!isActive || remaining > 0) return primary;
  throw new AppError(
    "conflict",
    `Every record is under ${primary} already. The keys are not in a file that this command may change: add the next key to the configuration as one that only opens, start every replica with it, then make it primary.`,
  );
}

/** Its canary lets the replicas see that they mean the same key by this id. */
async function register(
  { db, keyring, keysetFile, audit }: RotateKeysDeps,
  keyId: string,
  { makesNewDataKeys, signal }: RotateKeysOptions,
): Promise<void> {
  const registered = await withSystem(db, "read the registered keys", listKeys);
  const known = registered.find(({ id }) => id === keyId);
  const sealing =
    keyring.primaryKeyId() === keyId || !keysetFile
      ? keyring
      : await createKeyring({ provider: await keysetFile.previewPromotion(keyId) });
  if (known) {
    if (await sealing.checkCanary(keyId, known.canary, { signal })) return;
    throw new KeyringError(
      "refused",
      `Key ${keyId} is another one than was registered by this id: restore that one.`,
    );
  }
  const canary = await sealing.sealCanary(keyId, { signal });
  await withSystem(db, "register a key", async (tx) => {
    if (await insertKey(tx, { id: keyId, canary, makesNewDataKeys })) {
      await audit.append(tx, keyEntry("key.created", keyId));
    }
  });
}

async function untilReplicas(
  { db, heartbeat = KEY_HEARTBEAT, replicasWaitMs = REPLICAS_WAIT_MS }: RotateKeysDeps,
  keyId: string,
  hasArrived: (replica: Replica) => boolean,
  { signal, onProgress }: RotateKeysOptions,
): Promise<void> {
  const giveUpAt = performance.now() + replicasWaitMs;
  for (;;) {
    const replicas = await withSystem(db, "read which keys are where", (tx) =>
      listLiveReplicas(tx, heartbeat.liveMs),
    );
    const missing = replicas.filter((replica) => !hasArrived(replica)).map(({ host }) => host);
    if (missing.length === 0) return;
    if (performance.now() > giveUpAt) {
      throw new AppError(
        "conflict",
        `Key ${keyId} is not in use by ${missing.join(", ")}: give every replica the same keys, then run this again. It goes on where it stopped.`,
      );
    }
    onProgress?.({ step: "waiting", keyId, replicas: missing });
    await sleep(LOOK_AGAIN_MS, undefined, { signal });
  }
}

async function moveAll(
  deps: RotateKeysDeps,
  keyId: string,
  atStart: OutsideCount,
  { signal, onProgress }: RotateKeysOptions,
): Promise<Rotation> {
  const registered = await withSystem(deps.db, "read the registered keys", listKeys);
  const makesNewDataKeys = registered.find(({ id }) => id === keyId)?.makesNewDataKeys ?? false;
  let countAt = 0;
  for (;;) {
    signal.throwIfAborted();
    const { moved, undecryptable } = await rewrapBatch(deps, { makesNewDataKeys }, { signal });
    const isIdle = moved + undecryptable === 0;
    if (!isIdle && performance.now() < countAt) continue;
    countAt = performance.now() + COUNT_EVERY_MS;
    const now = await countOutside(deps.db, keyId);
    const done = Math.max(0, atStart.remaining - now.remaining);
    onProgress?.({ step: "moving", keyId, done, total: atStart.remaining });
    if (now.remaining === 0) {
      const closed = now.undecryptable - atStart.undecryptable;
      return { keyId, moved: Math.max(0, done - closed), undecryptable: now.undecryptable };
    }
    if (isIdle) {
      refuseUnknown(deps.keyring.knownKeyIds(), now.keyIds);
      // Other replicas hold the rest for the moment.
      await sleep(LOOK_AGAIN_MS, undefined, { signal });
    }
  }
}

function refuseUnknown(known: readonly string[], needed: readonly string[]): void {
  const unknown = needed.filter((id) => !known.includes(id));
  if (unknown.length === 0) return;
  throw new AppError(
    "conflict",
    `Records need keys that are not here: ${unknown.join(", ")}. Restore them and run this again.`,
  );
}

interface OutsideCount {
  /** Records under other keys that can be brought here. */
  readonly remaining: number;
  /** Records that their key does not open. */
  readonly undecryptable: number;
  /** The keys of those remaining. */
  readonly keyIds: readonly string[];
}

async function countOutside(db: Database, keyId: string): Promise<OutsideCount> {
  const all = await withSystem(db, "count the records of each key", listKeyUses);
  const uses = all.filter((use) => use.keyId !== keyId);
  const undecryptable = uses.reduce((sum, use) => sum + use.undecryptable, 0);
  const keyIds = uses.filter((use) => use.records > use.undecryptable).map((use) => use.keyId);
  return {
    remaining: uses.reduce((sum, use) => sum + use.records, 0) - undecryptable,
    undecryptable,
    keyIds: [...new Set(keyIds)],
  };
}
