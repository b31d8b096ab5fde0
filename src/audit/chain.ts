import { createHash } from "node:crypto";
import type { ChainedEntry, ChainHead } from "./model.ts";

/** What the first entry of a chain follows. */
export const GENESIS_HASH = Buffer.alloc(32);

/**
 * The hash of an entry, computed here and not by the database, which may have been tampered with:
 *
 *     SHA-256( LP("infragpt/audit/1") LP(hash before) LP(organization id) LP(seq) LP(time) LP(body) )
 *     LP(x) = u32be(length of x in bytes) || x
 *
 * The hash before is 32 raw bytes, all zero for the first entry; the id is in lower case with
 * hyphens; seq and the time (microseconds since 1970, UTC) are decimal; all text is UTF-8.
 */
export function hashOfEntry(entry: Omit<ChainedEntry, "hash" | "at">): Buffer {
  const { organizationId, seq, atMicroseconds, body, prevHash } = entry;
  const bytes = lengthPrefixed(
    "infragpt/audit/1",
    prevHash,
    organizationId,
    String(seq),
    atMicroseconds,
    body,
  );
  return createHash("sha256").update(bytes).digest();
}

/** What the signature of a head covers: `LP("infragpt/audit-head/1") LP(organization id) LP(seq) LP(hash) LP(time in ms)`. */
export function signedBytesOf(head: ChainHead & { readonly signedAt: Date }): Buffer {
  const { organizationId, seq, hash, signedAt } = head;
  const time = String(signedAt.getTime());
  return lengthPrefixed("infragpt/audit-head/1", organizationId, String(seq), hash, time);
}

function lengthPrefixed(...fields: readonly (string | Buffer)[]): Buffer {
  const parts: Buffer[] = [];
  for (const field of fields) {
    const bytes = typeof field === "string" ? Buffer.from(field, "utf8") : field;
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.byteLength);
    parts.push(length, bytes);
  }
  return Buffer.concat(parts);
}
