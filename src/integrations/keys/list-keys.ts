import { withSystem, type Database } from "#database";
import type { Keyring } from "#platform";
import { KEY_HEARTBEAT, type KeyHeartbeat } from "./keep-keys.ts";
import type { KeyState, Replica } from "./model.ts";
import { listKeys as listRegistered, listKeyUses, listLiveReplicas } from "./store.ts";

export interface ListedKey {
  readonly id: string;
  readonly state: KeyState;
  /** Undefined for a key that no service has used yet. */
  readonly createdAt: Date | undefined;
  readonly promotedAt: Date | undefined;
  readonly retiredAt: Date | undefined;
  readonly records: number;
  readonly undecryptable: number;
  /** Whether this process holds it. */
  readonly isHere: boolean;
}

export interface KeyList {
  readonly keys: readonly ListedKey[];
  readonly replicas: readonly Replica[];
}

/** Every key that is configured, registered or used by a record, oldest first. */
export async function listKeys(
  { db, keyring }: { readonly db: Database; readonly keyring: Keyring },
  heartbeat: KeyHeartbeat = KEY_HEARTBEAT,
): Promise<KeyList> {
  return withSystem(db, "list the encryption keys", async (tx) => {
    const registered = await listRegistered(tx);
    const uses = await listKeyUses(tx);
    const known = keyring.knownKeyIds();
    const ids = new Set([
      ...registered.map(({ id }) => id),
      ...uses.map(({ keyId }) => keyId),
      ...known,
    ]);
    const keys = [...ids].map((id): ListedKey => {
      const key = registered.find((candidate) => candidate.id === id);
      const own = uses.filter(({ keyId }) => keyId === id);
      return {
        id,
        state: key?.state ?? "pending",
        createdAt: key?.createdAt,
        promotedAt: key?.promotedAt,
        retiredAt: key?.retiredAt,
        records: own.reduce((sum, use) => sum + use.records, 0),
        undecryptable: own.reduce((sum, use) => sum + use.undecryptable, 0),
        isHere: known.includes(id),
      };
    });
    return { keys, replicas: await listLiveReplicas(tx, heartbeat.liveMs) };
  });
}
