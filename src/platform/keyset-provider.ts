import { open } from "node:fs/promises";
import { openBytes, sealBytes } from "./aead.ts";
import { KeyringError, type KeyProvider } from "./key-provider.ts";
import { loadKeyset, type LoadedKeyset } from "./keyset.ts";

const FILE_BYTES_MAX = 256 * 1024;

/** Keys from a file that only its owner can read. Throws KeyringError when it is missing or unfit. */
export async function fileKeyProvider({ path }: { readonly path: string }): Promise<KeyProvider> {
  return providerOf("file", loadKeyset(await readKeyFile(path), path));
}

/** Keys from the value of an environment variable: the same JSON as in a file. */
export function envKeyProvider(json: string): KeyProvider {
  return providerOf("env", loadKeyset(json, "the environment"));
}

function providerOf(id: "file" | "env", { primaryKeyId, keys }: LoadedKeyset): KeyProvider {
  function keyOf(kekId: string): NonNullable<ReturnType<LoadedKeyset["keys"]["get"]>> {
    const key = keys.get(kekId);
    if (key) return key;
    throw new KeyringError("unknown_key", `The keyset has no key ${JSON.stringify(kekId)}.`);
  }
  return {
    id,
    primaryKeyId: () => primaryKeyId,
    knownKeyIds: () => [...keys.keys()],
    async wrap(dek, aad, signal) {
      signal.throwIfAborted();
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
      keyOf(primaryKeyId);
    },
  };
}

async function readKeyFile(path: string): Promise<string> {
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
