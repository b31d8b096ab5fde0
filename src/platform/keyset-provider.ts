import type { KeyObject } from "node:crypto";
import { open } from "node:fs/promises";
import { openBytes, sealBytes } from "./aead.ts";
import { KeyringError, type KeyProvider } from "./key-provider.ts";
import { loadKeyset, type LoadedKeyset } from "./keyset.ts";

const FILE_BYTES_MAX = 256 * 1024;

/**
 * Keys from a file that only its owner can read. `reload` takes a changed file on, unless it lacks
 * or replaces a key that was there: such a file stays unused. Throws KeyringError when it is missing
 * or unfit.
 */
export async function fileKeyProvider({ path }: { readonly path: string }): Promise<KeyProvider> {
  let text = await readKeyFile(path);
  let loaded = loadKeyset(text, path);
  return {
    ...providerOf("file", () => loaded),
    async reload() {
      const changed = await readKeyFile(path);
      if (changed === text) return false;
      const next = loadKeyset(changed, path);
      refuseLosses(loaded, next, path);
      text = changed;
      loaded = next;
      return true;
    },
  };
}

/** Keys from the value of an environment variable: the same JSON as in a file. */
export function envKeyProvider(json: string): KeyProvider {
  const loaded = loadKeyset(json, "the environment");
  return providerOf("env", () => loaded);
}

function refuseLosses(before: LoadedKeyset, after: LoadedKeyset, path: string): void {
  const lost = [...before.keys]
    .filter(([id, key]) => !after.retired.has(id) && !after.keys.get(id)?.equals(key))
    .map(([id]) => id);
  if (lost.length === 0) return;
  throw new KeyringError(
    "refused",
    `The key file ${path} has lost or changed ${lost.join(", ")}: restore it. This service keeps the keys it has.`,
  );
}

function providerOf(id: "file" | "env", current: () => LoadedKeyset): KeyProvider {
  function keyOf(kekId: string): KeyObject {
    const key = current().keys.get(kekId);
    if (key) return key;
    throw new KeyringError("unknown_key", `The keyset has no key ${JSON.stringify(kekId)}.`);
  }
  return {
    id,
    primaryKeyId: () => current().primaryKeyId,
    knownKeyIds: () => [...current().keys.keys()],
    async wrap(dek, aad, signal) {
      signal.throwIfAborted();
      const { primaryKeyId } = current();
      return { kekId: primaryKeyId, wrapped: sealBytes(keyOf(primaryKeyId), aad, dek) };
    },
    async unwrap(kekId, wrapped, aad, signal) {
      signal.throwIfAborted();
      const key = keyOf(kekId);
      try {
        return openBytes(key, aad, wrapped);
      } catch (error) {
        throw new KeyringError(
          "undecryptable",
          `Key ${kekId} does not open this record: it is damaged, was moved, or another key had that id.`,
          { cause: error },
        );
      }
    },
    async check() {
      keyOf(current().primaryKeyId);
    },
  };
}

/** The text of a key file; refuses one that others can read. */
export async function readKeyFile(path: string): Promise<string> {
  try {
    await using file = await open(path, "r");
    // The handle, not the path: nothing can be swapped between the look and the read.
    const { mode, size } = await file.stat();
    // Windows has no such modes: the directory's access list guards the file there.
    if (process.platform !== "win32" && (mode & 0o077) !== 0) {
      throw new KeyringError(
        "refused",
        `Others can read the key file ${path} (mode ${(mode & 0o777).toString(8)}). Run: chmod 600 ${path}`,
      );
    }
    if (size > FILE_BYTES_MAX) {
      throw new KeyringError("refused", `The key file ${path} is too large to be one.`);
    }
    return await file.readFile("utf8");
  } catch (error) {
    if (error instanceof KeyringError) throw error;
    throw new KeyringError("refused", `The key file ${path} cannot be read: restore it.`, {
      cause: error,
    });
  }
}
