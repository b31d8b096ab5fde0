import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { SYSTEM_CHAIN_ID, type Audit } from "#audit";
import { withSystem } from "#database";
import { KeyringError, type Abortable, type Ids } from "#platform";
import { checkKeys } from "./check-keys.ts";
import type { RegisteredKey } from "./model.ts";
import { rewrapBatch, type RewrapDeps } from "./rewrap-records.ts";
import {
  activateKey,
  deleteReplica,
  insertKey,
  listKeys,
  listLiveReplicas,
  saveReplica,
} from "./store.ts";

export interface KeepKeysDeps extends RewrapDeps {
  readonly ids: Ids;
  readonly audit: Pick<Audit, "append">;
  readonly heartbeat?: KeyHeartbeat;
}

/** How often a replica says which keys it holds, and how long it counts as running after that. */
export interface KeyHeartbeat {
  readonly everyMs: number;
  readonly liveMs: number;
}

export const KEY_HEARTBEAT: KeyHeartbeat = { everyMs: 3_000, liveMs: 15_000 };

export interface KeyKeeper {
  /**
   * Checks the keys, tells the others which ones are here, and waits until all of them know the
   * primary one. Throws KeyringError when the keys do not fit what is stored, or would seal what
   * another running replica cannot open.
   */
  announce(options: Abortable): Promise<void>;
  /** Follows the key file, tells the others, and brings records to the primary key. Until aborted. */
  keep(options: Abortable): Promise<void>;
}

/** What one replica does about keys. */
export function createKeyKeeper(deps: KeepKeysDeps): KeyKeeper {
  const { db, keyring, log, heartbeat = KEY_HEARTBEAT } = deps;
  const id = deps.ids();
  const host = `${hostname().slice(0, 200)}:${process.pid}`;
  /** Ids whose canary opened here, so that a key service is asked once a key. */
  let proven = new Set<string>();

  async function publish(options: Abortable): Promise<readonly RegisteredKey[]> {
    const registered = await withSystem(db, "read the registered keys", listKeys);
    const canaries = new Map(registered.map((key) => [key.id, key.canary]));
    for (const keyId of keyring.knownKeyIds()) {
      const canary = canaries.get(keyId);
      if (canary && !proven.has(keyId) && (await keyring.checkCanary(keyId, canary, options))) {
        proven.add(keyId);
      }
    }
    const knownKeyIds = keyring
      .knownKeyIds()
      .filter((keyId) => proven.has(keyId) || !canaries.has(keyId));
    await withSystem(db, "tell which keys are here", (tx) =>
      saveReplica(tx, { id, host, primaryKeyId: keyring.primaryKeyId(), knownKeyIds }),
    );
    return registered;
  }

  /**
   * Makes the primary key the active one when it is new and every running replica holds it.
   * Returns the replicas that do not.
   */
  async function settle(registered: readonly RegisteredKey[]): Promise<readonly string[]> {
    const keyId = keyring.primaryKeyId();
    const state = registered.find((key) => key.id === keyId)?.state;
    if (state === "active" || state === "decrypt_only") return [];
    const replicas = await withSystem(db, "read which keys are where", (tx) =>
      listLiveReplicas(tx, heartbeat.liveMs),
    );
    const without = replicas.filter(({ knownKeyIds }) => !knownKeyIds.includes(keyId));
    if (without.length > 0) return without.map((replica) => replica.host);
    await withSystem(db, "promote a key", async (tx) => {
      if (await activateKey(tx, keyId))
        await deps.audit.append(tx, keyEntry("key.promoted", keyId));
    });
    return [];
  }

  async function rewrapFor(untilMs: number, options: Abortable): Promise<void> {
    const registered = await withSystem(db, "read the registered keys", listKeys);
    const active = registered.find(({ state }) => state === "active");
    // Two replicas that disagree about the primary key would carry the records back and forth.
    if (!active || active.id !== keyring.primaryKeyId()) return;
    while (performance.now() < untilMs && !options.signal.aborted) {
      const { moved, undecryptable } = await rewrapBatch(deps, active, options);
      if (moved + undecryptable === 0) return;
      log.info({ moved, undecryptable, kekId: active.id }, "records brought to the primary key");
    }
  }

  let reloadFailure = "";
  async function reload(): Promise<void> {
    try {
      if (!(await keyring.reload())) return;
      reloadFailure = "";
      proven = new Set();
      log.info({ keyIds: keyring.knownKeyIds(), primary: keyring.primaryKeyId() }, "keys reloaded");
    } catch (error) {
      if (!(error instanceof KeyringError)) throw error;
      // Once, not at every beat.
      if (error.message !== reloadFailure)
        log.error({ err: error }, "the changed keys are not used");
      reloadFailure = error.message;
    }
  }

  return {
    async announce(options) {
      await checkKeys(deps, options);
      await registerPrimary(deps, options);
      const giveUpAt = performance.now() + heartbeat.liveMs + heartbeat.everyMs;
      for (;;) {
        const lacking = await settle(await publish(options));
        if (lacking.length === 0) return;
        if (performance.now() > giveUpAt) {
          await withSystem(db, "a replica does not start", (tx) => deleteReplica(tx, id));
          throw new KeyringError(
            "refused",
            `The primary key ${keyring.primaryKeyId()} is not known to ${lacking.join(", ")}. Give it to every replica as a key that only opens first, then make it primary.`,
          );
        }
        await sleep(Math.min(500, heartbeat.everyMs), undefined, options);
      }
    },
    async keep(options) {
      try {
        while (!options.signal.aborted) {
          const startedAt = performance.now();
          await reload();
          await settle(await publish(options));
          await rewrapFor(startedAt + heartbeat.everyMs, options);
          const restMs = startedAt + heartbeat.everyMs - performance.now();
          await sleep(Math.max(0, restMs), undefined, options).catch(() => undefined);
        }
      } finally {
        await withSystem(db, "a replica leaves", (tx) => deleteReplica(tx, id));
      }
    },
  };
}

async function registerPrimary(
  { db, keyring, audit }: Pick<KeepKeysDeps, "db" | "keyring" | "audit">,
  options: Abortable,
): Promise<void> {
  const keyId = keyring.primaryKeyId();
  const registered = await withSystem(db, "read the registered keys", listKeys);
  if (registered.some((key) => key.id === keyId)) return;
  const canary = await keyring.sealCanary(keyId, options);
  await withSystem(db, "register a key", async (tx) => {
    if (await insertKey(tx, { id: keyId, canary, makesNewDataKeys: false })) {
      await audit.append(tx, keyEntry("key.created", keyId));
    }
  });
}

export function keyEntry(
  action: "key.created" | "key.promoted" | "key.retired",
  keyId: string,
): Parameters<Audit["append"]>[1] {
  return {
    organizationId: SYSTEM_CHAIN_ID,
    actor: { kind: "system", id: "keys" },
    action,
    target: { kind: "key", id: keyId },
    outcome: "ok",
  };
}
