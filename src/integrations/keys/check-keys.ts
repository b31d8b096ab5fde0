import { withSystem, type Database } from "#database";
import { KeyringError, type Abortable, type Keyring } from "#platform";
import { listKeys, listKeyUses } from "./store.ts";

export interface CheckKeysDeps {
  readonly db: Database;
  readonly keyring: Keyring;
}

/**
 * Fails when some stored record could not be read with the keys at hand, naming the keys. Run
 * before anything else: a service that starts with the wrong key would write what nobody can read.
 * Changes nothing. Throws KeyringError("refused").
 */
export async function checkKeys(
  { db, keyring }: CheckKeysDeps,
  { signal }: Abortable,
): Promise<void> {
  const [registered, uses] = await withSystem(db, "check the encryption keys", async (tx) => [
    await listKeys(tx),
    await listKeyUses(tx),
  ]);
  const known = new Set(keyring.knownKeyIds());
  // A key that was added or given up elsewhere is not needed here, unless a record says otherwise.
  const needed = new Set([
    ...uses.map(({ keyId }) => keyId),
    ...registered
      .filter(({ state }) => state === "active" || state === "decrypt_only")
      .map(({ id }) => id),
  ]);
  const unusable = [...needed].filter((id) => !known.has(id)).map((id) => `${id} (missing)`);
  for (const { id, canary } of registered) {
    if (known.has(id) && !(await keyring.checkCanary(id, canary, { signal }))) {
      unusable.push(`${id} (another key under the same id)`);
    }
  }
  if (unusable.length > 0) {
    throw new KeyringError(
      "refused",
      `Stored credentials need encryption keys that are not here: ${unusable.toSorted().join(", ")}. Restore the keys that wrote them.`,
    );
  }
  const primary = registered.find(({ id }) => id === keyring.primaryKeyId());
  if (primary?.state !== "retired") return;
  throw new KeyringError(
    "refused",
    `The primary key ${primary.id} was retired: make another one primary, or add a new one.`,
  );
}
