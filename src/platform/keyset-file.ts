import { randomBytes } from "node:crypto";
import { open, rename, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { KeyringError, type KeyProvider } from "./key-provider.ts";
import { loadKeyset, parseKeyset, type Keyset } from "./keyset.ts";
import { envKeyProvider, readKeyFile } from "./keyset-provider.ts";
import { syncDirectory } from "./local-keyset.ts";

export interface KeysetKeyState {
  readonly id: string;
  readonly created: Date;
  readonly state: Keyset["keys"][number]["state"];
}

/** A key file to be changed. Every change appears whole or not at all. Throws KeyringError. */
export interface KeysetFile {
  list(): Promise<readonly KeysetKeyState[]>;
  /** Adds a key that opens records and seals none yet, and returns its id. */
  addPending(): Promise<string>;
  /** What the keys would be with this one as the primary, before anybody else uses it so. */
  previewPromotion(id: string): Promise<KeyProvider>;
  /** Makes it the key that seals; the former one only opens from now on. */
  promote(id: string): Promise<void>;
  /** Ends the use of a key. Its material stays in the file, for backups from before. */
  retire(id: string): Promise<void>;
}

/** One process at a time may change the file: the caller holds a lock. */
export function openKeysetFile(path: string): KeysetFile {
  async function read(): Promise<Keyset> {
    return parseKeyset(await readKeyFile(path), path);
  }
  async function change(edit: (keyset: Keyset) => Keyset): Promise<void> {
    const text = `${JSON.stringify(edit(await read()), undefined, 2)}\n`;
    // What no service could load is not written.
    loadKeyset(text, path);
    await replaceFile(path, text);
  }
  return {
    async list() {
      const { keys } = await read();
      return keys.map(({ id, created, state }) => ({ id, created: new Date(created), state }));
    },
    async addPending() {
      const id = nextId(await read());
      const material = randomBytes(32).toString("base64");
      const created = new Date().toISOString();
      await change((keyset) => ({
        ...keyset,
        keys: [...keyset.keys, { id, created, state: "pending", material }],
      }));
      return id;
    },
    async previewPromotion(id) {
      return envKeyProvider(JSON.stringify(promoted(await read(), id)));
    },
    promote: (id) => change((keyset) => promoted(keyset, id)),
    retire: (id) => change((keyset) => withState(keyset, id, "retired")),
  };
}

function promoted(keyset: Keyset, id: string): Keyset {
  const { keys } = withState(keyset, id, "active");
  return {
    primary: id,
    keys: keys.map((key) =>
      key.id !== id && key.state === "active" ? { ...key, state: "decrypt_only" } : key,
    ),
  };
}

function withState(keyset: Keyset, id: string, state: KeysetKeyState["state"]): Keyset {
  if (!keyset.keys.some((key) => key.id === id)) {
    throw new KeyringError("unknown_key", `The keyset has no key ${JSON.stringify(id)}.`);
  }
  return {
    ...keyset,
    keys: keyset.keys.map((key) => (key.id === id ? { ...key, state } : key)),
  };
}

/** One more than the highest: an id is never used again, also not after its key was taken out. */
function nextId({ keys, primary }: Keyset): string {
  const numbers = [primary, ...keys.map(({ id }) => id)].map((id) =>
    Number(/^k(\d{1,9})$/.exec(id)?.[1] ?? 0),
  );
  return `k${Math.max(...numbers) + 1}`;
}

/** A reader sees the old file or the new one, also after a crash at any point. */
async function replaceFile(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  try {
    {
      await using file = await open(draft, "wx", 0o600);
      await file.writeFile(text);
      await file.sync();
    }
    await rename(draft, path);
  } catch (error) {
    await unlink(draft).catch(() => undefined);
    throw new KeyringError("refused", `The key file ${path} cannot be written.`, { cause: error });
  }
  await syncDirectory(dirname(path));
}
