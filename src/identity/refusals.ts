import { SYSTEM_CHAIN_ID, type AuditEntry } from "#audit";
import type { IdentityDeps } from "./deps.ts";

/** Beyond these a minute, refusals are counted and said once: a flood must not become a flood of rows. */
const RECORDED_PER_MINUTE_MAX = 30;

export interface Refusals {
  /** Remembers that somebody was turned away. Never throws: a refusal stays one. */
  record(refusal: {
    readonly action: "session.refused" | "token.refused";
    /** Undefined for a stranger. */
    readonly organizationId?: string | undefined;
    readonly actor?: AuditEntry["actor"] | undefined;
    readonly reason: string;
  }): Promise<void>;
}

export function createRefusals(deps: IdentityDeps): Refusals {
  let minute = 0;
  let count = 0;
  return {
    async record({ action, organizationId = SYSTEM_CHAIN_ID, actor, reason }) {
      const now = Math.floor(deps.clock.now().getTime() / 60_000);
      if (now !== minute) {
        if (count > RECORDED_PER_MINUTE_MAX)
          deps.log.warn({ count }, "many credentials were refused");
        minute = now;
        count = 0;
      }
      count += 1;
      if (count > RECORDED_PER_MINUTE_MAX) return;
      try {
        await deps.audit.record({
          organizationId,
          actor: actor ?? { kind: "anonymous", id: "unknown" },
          action,
          outcome: "denied",
          details: { reason },
        });
      } catch (error) {
        deps.log.error({ err: error }, "a refusal could not be recorded");
      }
    },
  };
}
