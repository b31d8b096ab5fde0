import { ConnectorError, type ConnectionHealth } from "@infragpt/connector-kit";
import { withSystem, withTenant, type Database, type DatabaseTransaction } from "#database";
import { AppError, deadline, type Abortable, type Log } from "#platform";
import type { Connections } from "../connections.ts";
import { findIntegration, updateProfile } from "../connected/store.ts";
import { connectionHealthChanged } from "../events.ts";
import type { KnownHealth } from "../model.ts";
import { setHealth, type SetHealthDeps } from "./set-health.ts";
import { setSuspension } from "./set-suspension.ts";
import { countFailedProbe, takeDueProbes, type DueIntegration } from "./store.ts";

const PROBE_TIMEOUT_MS = 15_000;
/** How often a connection is probed; each time within a fifth of it, so that they spread out. */
const PROBE_EVERY_MS = 300_000;
const JITTER = 0.2;
const PROBES_AT_ONCE_MAX = 8;
/** So many probes in a row without an answer, about a quarter of an hour, and people should know. */
const SILENT_PROBES_MAX = 3;

export interface HealthDeps extends SetHealthDeps {
  readonly db: Database;
  readonly log: Log;
  readonly connections: Connections;
}

/** Asks the vendor how a connection is, and notes it. Never throws for what the vendor says. */
export async function checkHealth(
  deps: HealthDeps,
  due: DueIntegration,
  options: Abortable,
): Promise<void> {
  const found = await probe(deps, due, options);
  if (options.signal.aborted || found === "ended") return;
  const { organizationId, id } = due;
  const isChanged = await withTenant(deps.db, organizationId, async (tx) => {
    if (found.kind === "known") return noteHealth(deps, tx, found.health, due);
    const silent = await countFailedProbe(tx, organizationId, id, deps.clock.now());
    if (silent !== SILENT_PROBES_MAX) return false;
    return setHealth(deps, tx, due, { status: "degraded", detail: found.detail });
  });
  if (!isChanged) return;
  deps.events.wake(connectionHealthChanged);
  deps.log.info({ organizationId, integrationId: id, found }, "connection health changed");
}

/** Probes what is due, on whichever replica asks first. */
export async function checkDueHealth(deps: HealthDeps, options: Abortable): Promise<void> {
  const at = deps.clock.now();
  const spread = 1 - JITTER + Math.random() * 2 * JITTER;
  const nextAt = new Date(at.getTime() + PROBE_EVERY_MS * spread);
  const due = await withSystem(deps.db, "take the health probes that are due", (tx) =>
    takeDueProbes(tx, { at, nextAt, limit: PROBES_AT_ONCE_MAX }),
  );
  await Promise.all(due.map((one) => checkHealth(deps, one, options)));
}

type Found =
  | { readonly kind: "known"; readonly health: ConnectionHealth }
  | { readonly kind: "silent"; readonly detail: string };

/** What a probe found, which also closes and opens a connection whose account did so unheard. */
async function noteHealth(
  deps: HealthDeps,
  tx: DatabaseTransaction,
  health: ConnectionHealth,
  due: DueIntegration,
): Promise<boolean> {
  const { organizationId, id } = due;
  const now = await findIntegration(tx, organizationId, id);
  // The account was closed or opened while it was asked: which of the two came first is not known.
  if (now?.status !== due.status) return false;
  const at = deps.clock.now();
  const { profile } = health;
  if (profile) await updateProfile(tx, organizationId, id, profile, at);
  const isSuspended = health.status === "suspended";
  // Only a probe that saw the account knows that it is open: one that failed has seen nothing.
  const isOpen = health.status === "healthy" || (profile !== undefined && !isSuspended);
  const known: KnownHealth = isSuspended ? { status: "degraded", detail: health.detail } : health;
  // What is as it was keeps the vendor's own time of its last change.
  const isTurned = now.status === "suspended" ? isOpen : isSuspended;
  if (!isTurned) return setHealth(deps, tx, due, known);
  const reason = isSuspended ? health.detail : "the account opened it again";
  return setSuspension(deps, tx, due, { isSuspended, reason, at, health: known });
}

async function probe(
  deps: HealthDeps,
  { organizationId, id }: DueIntegration,
  options: Abortable,
): Promise<Found | "ended"> {
  const signal = deadline(options.signal, PROBE_TIMEOUT_MS);
  try {
    const { connector, connection } = await deps.connections.open(organizationId, id, {
      signal,
      isProbe: true,
    });
    const health = await connector.checkHealth?.(connection, { signal });
    return { kind: "known", health: health ?? { status: "healthy" } };
  } catch (error) {
    if (error instanceof AppError) return "ended";
    if (error instanceof ConnectorError) return judge(error);
    return { kind: "silent", detail: "Its credentials cannot be opened: see the log." };
  }
}

function judge(error: ConnectorError): Found {
  const detail = error.message;
  switch (error.kind) {
    case "unauthorized":
      return { kind: "known", health: { status: "revoked", detail } };
    case "missing_permission":
    case "not_member":
    case "gone":
    case "rejected":
      return { kind: "known", health: { status: "degraded", detail } };
    case "rate_limited":
    case "unavailable":
    case "uncertain":
      return { kind: "silent", detail: `No answer for a while: ${detail}` };
  }
}
