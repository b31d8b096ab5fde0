import { z } from "zod";
import { route, type Route } from "#platform";
import type { Audit } from "./index.ts";
import { AUDIT_READ } from "./list-entries.ts";
import { AUDIT_ACTIONS, AUDIT_ACTOR_KINDS, AUDIT_OUTCOMES, type ListedEntry } from "./model.ts";

const Query = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  /** `next_cursor` of the page before. */
  cursor: z.coerce.number().int().min(1).optional(),
  action: z.enum(AUDIT_ACTIONS).optional(),
  actor_id: z.string().min(1).max(200).optional(),
  from: z.iso.datetime({ offset: true }).optional(),
  to: z.iso.datetime({ offset: true }).optional(),
});

const Entry = z.strictObject({
  seq: z.int(),
  at: z.iso.datetime(),
  actor: z.strictObject({ kind: z.enum(AUDIT_ACTOR_KINDS), id: z.string() }),
  action: z.string(),
  target: z.strictObject({ kind: z.string(), id: z.string() }).nullable(),
  outcome: z.enum(AUDIT_OUTCOMES),
  details: z.record(z.string(), z.json()),
  request_id: z.string().nullable(),
  trace_id: z.string().nullable(),
  hash: z.string(),
});

export function auditRoutes(audit: Pick<Audit, "list">): readonly Route[] {
  return [
    route({
      method: "GET",
      path: "/api/v1/audit",
      summary: "Lists what was done in the organization, newest first",
      tags: ["audit"],
      access: { permission: AUDIT_READ },
      query: Query,
      answer: z.strictObject({ entries: z.array(Entry), next_cursor: z.string().nullable() }),
      async handle({ principal, query }) {
        const { limit, cursor, action, actor_id, from, to } = query;
        const page = await audit.list(principal, {
          limit,
          beforeSeq: cursor,
          action,
          actorId: actor_id,
          from: from === undefined ? undefined : new Date(from),
          to: to === undefined ? undefined : new Date(to),
        });
        return {
          entries: page.entries.map(toAnswer),
          next_cursor: page.nextBeforeSeq === undefined ? null : String(page.nextBeforeSeq),
        };
      },
    }),
  ];
}

function toAnswer(entry: ListedEntry): z.input<typeof Entry> {
  const { seq, at, actor, action, target, outcome, details, requestId, traceId, hash } = entry;
  return {
    seq,
    at: at.toISOString(),
    actor,
    action,
    target: target ?? null,
    outcome,
    details: z.record(z.string(), z.json()).parse(details ?? {}),
    request_id: requestId ?? null,
    trace_id: traceId ?? null,
    hash,
  };
}
