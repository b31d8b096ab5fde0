import { randomBytes } from "node:crypto";
import { link, mkdir, open, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { KeyringError } from "./key-provider.ts";
import type { Keyset } from "./keyset.ts";

export interface LocalKeysetOptions {
  /** Something in the database was encrypted before: then a missing file is a lost key, not a first start. */
  readonly hasCiphertext: boolean;
}

/**
 * Makes the key file of local mode at its first start and leaves an existing one alone. Returns
 * whether it made one. Throws KeyringError rather than to hide that a key was lost. Two processes
 * at once make one file.
 */
export async function createLocalKeyset(
  path: string,
  { hasCiphertext }: LocalKeysetOptions,
): Promise<boolean> {
  const directory = dirname(path);
  if (await exists(path)) {
    await refuseWideDirectory(directory);
    return false;
  }
  if (hasCiphertext) {
    throw new KeyringError(
      "refused",
      `The key file ${path} is gone, but the database holds credentials that only it can read. Restore it from a backup; a new key would not help.`,
    );
  }
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await refuseWideDirectory(directory);
  return writeOnce(path, JSON.stringify(newKeyset(), undefined, 2) + "\n");
}

function newKeyset(): Keyset {
  const material = randomBytes(32).toString("base64");
  const created = new Date().toISOString();
  return { primary: "k1", keys: [{ id: "k1", created, state: "active", material }] };
}

/**
 * The file appears whole or not at all: it is written and synced beside its place, then linked
 * there. A link, unlike a rename, fails where a file stands already.
 */
async function writeOnce(path: string, text: string): Promise<boolean> {
  const draft = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  try {
    // O_CREAT | O_EXCL
    await using file = await open(draft, "wx", 0o600);
    await file.writeFile(text);
    await file.sync();
    await link(draft, path);
  } catch (error) {
    if (isCode(error, "EEXIST")) return false;
    throw new KeyringError("refused", `The key file ${path} cannot be written.`, { cause: error });
  } finally {
    await unlink(draft).catch(() => undefined);
  }
  await syncDirectory(dirname(path));
  return true;
}

export async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === "win32") return;
  await using handle = await open(directory, "r");
  await handle.sync();
}

async function refuseWideDirectory(directory: string): Promise<void> {
  if (process.platform === "win32") return;
  const { mode } = await stat(directory);
  if ((mode & 0o077) === 0) return;
  throw new KeyringError(
    "refused",
    `Others can enter the key directory ${directory} (mode ${(mode & 0o777).toString(8)}). Run: chmod 700 ${directory}`,
  );
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isCode(error, "ENOENT")) return false;
    throw new KeyringError("refused", `The key file ${path} cannot be looked at.`, {
      cause: error,
    });
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
