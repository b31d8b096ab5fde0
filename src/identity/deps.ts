import type { Audit } from "#audit";
import type { Database } from "#database";
import type { Clock, Events, Ids, Log } from "#platform";

/** What every use case of this room may need. */
export interface IdentityDeps {
  readonly db: Database;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: Pick<Audit, "append" | "record">;
  readonly events: Pick<Events, "publish" | "wake">;
}

/** What service tokens need: the command line makes them without a running service. */
export type TokenDeps = Pick<IdentityDeps, "db" | "ids" | "clock" | "audit">;
