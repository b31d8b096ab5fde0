import type { Audit } from "#audit";
import { withSystem, type Database } from "#database";
import { AppError, type KeysetFile } from "#platform";
import { KEY_HEARTBEAT, keyEntry, type KeyHeartbeat } from "./keep-keys.ts";
import { listKeyUses, listLiveReplicas, lockKey, markRetired } from "./store.ts";

export interface RetireKeyDeps {
  readonly db: Database;
  readonly audit: Pick<Audit, "append">;
  readonly keysetFile?: KeysetFile;
  readonly heartbeat?: KeyHeartbeat;
}

/**
 * Ends the use of a key that seals nothing any more. From then on the database refuses a record
 * under it, also from a writer that sealed before. Safe to run again. Throws AppError("conflict")
 * while records or a running replica use it.
 */
export async function retireKey(deps: RetireKeyDeps, id: string): Promise<void> {
  const { db, audit, keysetFile, heartbeat = KEY_HEARTBEAT } = deps;
  await withSystem(db, "retire a key", async (tx) => {
    const state = await lockKey(tx, id);
    if (state === undefined) {
      throw new AppError("not_found", `There is no key ${id}: infragpt keys list shows them.`);
    }
    if (state === "retired") return;
    if (state === "active") {
      throw new AppError("conflict", `Key ${id} seals new records: rotate first.`);
    }
    const replicas = await listLiveReplicas(tx, heartbeat.liveMs);
    const sealing = replicas.filter(({ primaryKeyId }) => primaryKeyId === id);
    if (sealing.length > 0) {
      const hosts = sealing.map(({ host }) => host).join(", ");
      throw new AppError("conflict", `Key ${id} is still the primary key of ${hosts}.`);
    }
    const uses = (await listKeyUses(tx)).filter(({ keyId }) => keyId === id);
    if (uses.length > 0) throw inUse(id, uses);
    await markRetired(tx, id);
    await audit.append(tx, keyEntry("key.retired", id));
  });
  const isInFile = (await keysetFile?.list())?.some((key) => key.id === id) === true;
  if (isInFile) await keysetFile?.retire(id);
}

function inUse(id: string, uses: Awaited<ReturnType<typeof listKeyUses>>): AppError {
  const records = uses.reduce((sum, use) => sum + use.records, 0);
  const undecryptable = uses.reduce((sum, use) => sum + use.undecryptable, 0);
  const advice =
    records === undecryptable
      ? "They do not open any more: connect their accounts again, or remove them."
      : "Run infragpt keys rotate first.";
  return new AppError("conflict", `Key ${id} still seals ${records} records. ${advice}`);
}
