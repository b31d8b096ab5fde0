import { createSecretKey, type KeyObject } from "node:crypto";
import { z } from "zod";
import { KeyringError } from "./key-provider.ts";

const KEY_BYTES = 32;

const KeysetKey = z.strictObject({
  id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "must be 1 to 64 of A-Z a-z 0-9 . _ -"),
  created: z.iso.datetime({ offset: true }),
  state: z.enum(["pending", "active", "decrypt_only", "retired"]),
  /** Base64 of 32 random bytes. */
  material: z.string().max(1024),
});

/** What a key file or variable holds. */
export const Keyset = z.strictObject({
  primary: z.string(),
  keys: z.array(KeysetKey).min(1).max(100),
});
export type Keyset = z.infer<typeof Keyset>;

export interface LoadedKeyset {
  readonly primaryKeyId: string;
  readonly keys: ReadonlyMap<string, KeyObject>;
  /** Ids of keys that are kept in the keyset and open nothing any more. */
  readonly retired: ReadonlySet<string>;
}

/** Reads and judges a keyset; `where` names it in errors. Reports every problem at once, never with material. */
export function loadKeyset(json: string, where: string): LoadedKeyset {
  const keyset = parseKeyset(json, where);
  const retired = new Set<string>();
  const problems: string[] = [];
  const keys = new Map<string, KeyObject>();
  const ids = new Set<string>();
  for (const { id, state, material } of keyset.keys) {
    if (ids.has(id)) problems.push(`key ${id} is there twice`);
    ids.add(id);
    if (state === "retired") {
      retired.add(id);
      continue;
    }
    const bytes = Buffer.from(material, "base64");
    const problem = problemOf(bytes, material);
    if (problem) problems.push(`key ${id} ${problem}`);
    else keys.set(id, createSecretKey(bytes));
    bytes.fill(0);
  }
  const primary = keyset.keys.find((key) => key.id === keyset.primary);
  if (!primary) problems.push(`its primary key ${keyset.primary} is not among its keys`);
  else if (primary.state !== "active") problems.push(`its primary key ${primary.id} is not active`);
  if (problems.length > 0) {
    throw new KeyringError("refused", `The keyset in ${where} is unfit: ${problems.join("; ")}.`);
  }
  return { primaryKeyId: keyset.primary, keys, retired };
}

/** The keyset as it is written down. Throws KeyringError without showing any of it. */
export function parseKeyset(json: string, where: string): Keyset {
  const parsed = Keyset.safeParse(parseJson(json, where));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    (issue) => `${issue.path.map(String).join(".") || "the whole"}: ${issue.message}`,
  );
  throw new KeyringError("refused", `The keyset in ${where} is unfit: ${problems.join("; ")}.`);
}

function parseJson(json: string, where: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    // The parser's own message quotes the text, which is key material.
    throw new KeyringError("refused", `The keyset in ${where} is not JSON.`);
  }
}

function problemOf(bytes: Buffer, material: string): string | undefined {
  if (bytes.toString("base64").replaceAll("=", "") !== material.trim().replaceAll("=", "")) {
    return "is not base64";
  }
  if (bytes.length !== KEY_BYTES) {
    return `has ${bytes.length} bytes instead of ${KEY_BYTES}; make one with \`openssl rand -base64 32\``;
  }
  if (bytes.every((byte) => byte === bytes[0])) return "is one byte repeated";
  if (bytes.every((byte) => byte >= 0x20 && byte <= 0x7e)) {
    return "is text, not random bytes; make one with `openssl rand -base64 32`";
  }
  return undefined;
}
