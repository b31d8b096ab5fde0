import { z } from "zod";
import { withTenant, type Database } from "#database";
import { AppError, type Principal } from "#platform";
import { AUDIT_ACTOR_KINDS, AUDIT_OUTCOMES, type ChainedEntry, type ListedEntry } from "./model.ts";
import { listNewest, type EntryFilter } from "./store.ts";

export const AUDIT_READ = "audit:read";

export interface ListInput extends EntryFilter {
  /** 1 to 200. */
  readonly limit: number;
}

export interface ListedPage {
  readonly entries: readonly ListedEntry[];
  /** `beforeSeq` of the next page; undefined on the last. */
  readonly nextBeforeSeq: number | undefined;
}

/** The newest entries of the principal's own organization. Throws AppError("forbidden") without `audit:read`. */
export async function listEntries(
  db: Database,
  { organizationId, permissions }: Principal,
  { limit, ...filter }: ListInput,
): Promise<ListedPage> {
  if (!permissions.has(AUDIT_READ)) {
    throw new AppError("forbidden", `Reading the audit log needs the permission ${AUDIT_READ}.`);
  }
  const rows = await withTenant(db, organizationId, (tx) =>
    listNewest(tx, organizationId, filter, limit + 1),
  );
  const entries = rows.slice(0, limit).map(toListed);
  return { entries, nextBeforeSeq: rows.length > limit ? entries.at(-1)?.seq : undefined };
}

const Body = z.object({
  actor: z.object({ kind: z.enum(AUDIT_ACTOR_KINDS), id: z.string() }),
  action: z.string(),
  target: z.object({ kind: z.string(), id: z.string() }).optional(),
  outcome: z.enum(AUDIT_OUTCOMES),
  details: z.record(z.string(), z.json()).optional(),
  request_id: z.string().optional(),
  trace_id: z.string().optional(),
});

function toListed({ seq, at, body, hash }: ChainedEntry): ListedEntry {
  const { actor, action, target, outcome, details, request_id, trace_id } = Body.parse(
    JSON.parse(body),
  );
  return {
    seq,
    at,
    actor,
    action,
    target,
    outcome,
    details,
    requestId: request_id,
    traceId: trace_id,
    hash: hash.toString("hex"),
  };
}
