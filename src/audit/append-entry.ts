import { createHash } from "node:crypto";
import type { Clock, Scrubber } from "#platform";
import type { DatabaseTransaction } from "#database";
import { boundedJson, boundedText, canonicalJson, type Json } from "./canonical-json.ts";
import type { AuditEntry } from "./model.ts";
import { insertEntry } from "./store.ts";

const DETAILS_BYTES_MAX = 16_384;
const ID_CHARACTERS_MAX = 200;

/** Writes one act into its organization's chain, in the transaction of the act. */
export async function appendEntry(
  { clock, scrubber }: { readonly clock: Clock; readonly scrubber: Scrubber },
  tx: DatabaseTransaction,
  entry: AuditEntry,
): Promise<void> {
  await insertEntry(tx, entry.organizationId, {
    at: clock.now(),
    body: bodyOf(entry, scrubber),
  });
}

/** The canonical text of an entry: what is hashed, stored and exported. */
export function bodyOf(entry: AuditEntry, scrubber: Scrubber): string {
  const { actor, action, target, outcome, requestId, traceId } = entry;
  const text = canonicalJson({
    version: 1,
    actor: { kind: actor.kind, id: idText(actor.id) },
    action,
    outcome,
    target: target && { kind: idText(target.kind), id: idText(target.id) },
    details: detailsOf(entry),
    request_id: idText(requestId),
    trace_id: idText(traceId),
  });
  const scrubbed = scrubber.scrub(text);
  // A replaced secret may have been a key, so the order is made anew.
  return scrubbed === text ? text : canonicalJson(parsed(scrubbed));
}

function detailsOf({ details }: AuditEntry): Json | undefined {
  if (details === undefined) return undefined;
  const bounded = boundedJson(details);
  const text = canonicalJson(bounded);
  const sizeBytes = Buffer.byteLength(text);
  if (sizeBytes <= DETAILS_BYTES_MAX) return bounded;
  return { sha256: createHash("sha256").update(text).digest("hex"), size_bytes: sizeBytes };
}

function idText(value: string | undefined): string | undefined {
  return value === undefined ? undefined : boundedText(value, ID_CHARACTERS_MAX);
}

function parsed(text: string): Json {
  const value: Json = JSON.parse(text);
  return value;
}
