import type { Clock, Log } from "#platform";
import { SYSTEM_CHAIN_ID, type AuditEntry } from "./model.ts";

/** Beyond these a minute and organization, refusals are only counted: a flood must not become a flood of rows. */
const RECORDED_PER_MINUTE_MAX = 30;

interface Refusal {
  readonly action: "session.refused" | "token.refused" | "access.denied" | "webhook.refused";
  /** Undefined for a stranger. */
  readonly organizationId?: string | undefined;
  readonly actor?: AuditEntry["actor"] | undefined;
  readonly details: NonNullable<AuditEntry["details"]>;
}

export interface Refusals {
  /** Remembers that somebody was turned away. Never throws: a refusal stays one. */
  record(refusal: Refusal): Promise<void>;
}

interface RefusalDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: { record(entry: AuditEntry): Promise<void> };
}

/** Counted by each room that has some. */
export function createRefusals(deps: RefusalDeps): Refusals {
  let minute = 0;
  // Cleared every minute; its keys are organizations that exist.
  const counts = new Map<string, number>();

  function isWithinBounds(organizationId: string): boolean {
    const now = Math.floor(deps.clock.now().getTime() / 60_000);
    if (now !== minute) {
      for (const [id, count] of counts) {
        if (count <= RECORDED_PER_MINUTE_MAX) continue;
        deps.log.warn({ organizationId: id, count }, "many requests were refused");
      }
      counts.clear();
      minute = now;
    }
    const count = (counts.get(organizationId) ?? 0) + 1;
    counts.set(organizationId, count);
    return count <= RECORDED_PER_MINUTE_MAX;
  }

  return {
    async record({ action, organizationId = SYSTEM_CHAIN_ID, actor, details }) {
      if (!isWithinBounds(organizationId)) return;
      try {
        await deps.audit.record({
          organizationId,
          actor: actor ?? { kind: "anonymous", id: "unknown" },
          action,
          outcome: "denied",
          details,
        });
      } catch (error) {
        deps.log.error({ err: error }, "a refusal could not be recorded");
      }
    },
  };
}
