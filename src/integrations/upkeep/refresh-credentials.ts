import {
  ConnectorError,
  type Connection,
  type Connector,
  type Grant,
  type Refresh,
} from "@infragpt/connector-kit";
import type { Audit } from "#audit";
import { withSystem, withTenant, type Database, type DatabaseTransaction } from "#database";
import {
  deadline,
  type Abortable,
  type Clock,
  type Events,
  type Ids,
  type Keyring,
  type Log,
} from "#platform";
import { openSealed, sealCredentials, type CredentialOwner } from "../credentials.ts";
import { connectionHealthChanged } from "../events.ts";
import type { Integration } from "../model.ts";
import { listCredentials, writeCredential, type SealedCredential } from "../store.ts";
import { setHealth } from "./set-health.ts";
import {
  beginRefresh,
  endRefresh,
  findRefreshStart,
  listDueRefreshes,
  type DueIntegration,
} from "./store.ts";

const REFRESH_TIMEOUT_MS = 20_000;
/** An attempt that is older was begun by a replica that has died in it. */
const ATTEMPT_MS_MAX = 120_000;
/** After an attempt that the vendor did not perform. */
const RETRY_MS = 60_000;
const BATCH_MAX = 50;

export interface RefreshDeps {
  readonly db: Database;
  readonly keyring: Keyring;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: Pick<Audit, "append">;
  readonly events: Pick<Events, "publish" | "wake">;
  readonly connectors: ReadonlyMap<string, Connector>;
}

type Target = Pick<Integration, "organizationId" | "id" | "connectorId">;

export interface Refresher {
  /** Renews the credentials of one integration, unless somebody does already. Never throws for what the vendor says. */
  refresh(integration: Target, options: Abortable): Promise<void>;
  /** Renews what ends soon and closes attempts that nobody finished. Called every now and then on every replica. */
  refreshDue(options: Abortable): Promise<void>;
}

/**
 * Refresh tokens may work once only, so an attempt is written down before the vendor is asked, by one
 * replica of all, and the new pair is stored before anybody uses it. Where the answer is lost, what
 * was written down shows it, and people are told that they must reconnect while the old token still
 * works.
 */
export function createRefresher(deps: RefreshDeps): Refresher {
  async function refresh(integration: Target, options: Abortable): Promise<void> {
    const { organizationId, id, connectorId } = integration;
    const ability = deps.connectors.get(connectorId)?.refresh;
    if (!ability) return;
    const startedAt = deps.clock.now();
    const begun = await withTenant(deps.db, organizationId, async (tx) => {
      const until = new Date(startedAt.getTime() + ability.beforeExpiryMs);
      if (!(await beginRefresh(tx, organizationId, id, { at: startedAt, until }))) return undefined;
      await rememberUse(deps, tx, integration);
      return listCredentials(tx, organizationId, id);
    });
    if (!begun) return;
    const owner = { organizationId, integrationId: id };
    try {
      const credentials = await openForRefresh(deps, owner, begun, options);
      const signal = deadline(options.signal, REFRESH_TIMEOUT_MS);
      const grant = await ability.run({ credentials }, { signal });
      const versions = new Map(begun.map((row) => [row.credentialType, row.version]));
      // The one moment where a stop would lose the pair: it is stored without the caller's signal.
      const unhurried = { signal: AbortSignal.timeout(REFRESH_TIMEOUT_MS) };
      const sealed = await sealCredentials(deps, owner, grant.credentials, versions, unhurried);
      await store(deps, integration, { startedAt, grant, sealed });
    } catch (error) {
      await giveUp(deps, integration, { ability, startedAt, error });
    }
  }

  async function closeLost(due: DueIntegration): Promise<boolean> {
    const startedAt = await withTenant(deps.db, due.organizationId, (tx) =>
      findRefreshStart(tx, due.organizationId, due.id),
    );
    const ability = deps.connectors.get(due.connectorId)?.refresh;
    if (!startedAt || !ability) return false;
    const error = new ConnectorError("uncertain", "the service ended while it was refreshing");
    await giveUp(deps, due, { ability, startedAt, error });
    return true;
  }

  return {
    refresh,
    async refreshDue(options) {
      for (const { id: connectorId, refresh: ability } of deps.connectors.values()) {
        if (!ability) continue;
        const at = deps.clock.now();
        const due = await withSystem(deps.db, "find credentials that end soon", (tx) =>
          listDueRefreshes(tx, {
            at,
            until: new Date(at.getTime() + ability.beforeExpiryMs),
            startedBefore: new Date(at.getTime() - ATTEMPT_MS_MAX),
            connectorId,
            limit: BATCH_MAX,
          }),
        );
        for (const one of due) {
          if (options.signal.aborted) return;
          if (await closeLost(one)) continue;
          await refresh(one, options);
        }
      }
    },
  };
}

/** Until the vendor is asked nothing is lost: a key service that is away only means later. */
async function openForRefresh(
  deps: RefreshDeps,
  owner: CredentialOwner,
  rows: readonly SealedCredential[],
  options: Abortable,
): Promise<Connection["credentials"]> {
  try {
    return await openSealed(deps, owner, rows, options);
  } catch (error) {
    throw new ConnectorError("unavailable", "its credentials cannot be opened", { cause: error });
  }
}

async function store(
  deps: RefreshDeps,
  { organizationId, id }: Target,
  answer: {
    readonly startedAt: Date;
    readonly grant: Pick<Grant, "credentials" | "expiresAt">;
    readonly sealed: Awaited<ReturnType<typeof sealCredentials>>;
  },
): Promise<void> {
  const at = deps.clock.now();
  await withTenant(deps.db, organizationId, async (tx) => {
    const { expiresAt } = answer.grant;
    const isOurs = await endRefresh(tx, organizationId, id, answer.startedAt, {
      state: "idle",
      expiresAt: expiresAt ?? null,
      at,
    });
    // Reconnected or ended meanwhile: what a person did since then counts.
    if (!isOurs) return;
    for (const credential of answer.sealed) {
      if (!(await writeCredential(tx, organizationId, id, { ...credential, at }))) {
        throw new Error("A credential was written in the middle of its refresh.");
      }
    }
    await setHealth(deps, tx, { organizationId, id }, { status: "healthy" });
    await deps.audit.append(tx, {
      organizationId,
      actor: { kind: "system", id: "integrations" },
      action: "credential.rotated",
      target: { kind: "integration", id },
      outcome: "ok",
      details: {
        names: answer.sealed.map((row) => row.credentialType),
        expires_at: expiresAt?.toISOString(),
      },
    });
  });
  deps.events.wake(connectionHealthChanged);
  deps.log.info({ organizationId, integrationId: id }, "credentials refreshed");
}

async function giveUp(
  deps: RefreshDeps,
  { organizationId, id }: Target,
  failed: { readonly ability: Refresh; readonly startedAt: Date; readonly error: unknown },
): Promise<void> {
  const { error, startedAt } = failed;
  const at = deps.clock.now();
  const isFinal = endsConnection(error, failed.ability);
  const notBefore = new Date(at.getTime() + retryMsOf(error));
  await withTenant(deps.db, organizationId, async (tx) => {
    const isOurs = await endRefresh(
      tx,
      organizationId,
      id,
      startedAt,
      isFinal ? { state: "failed", at } : { state: "idle", notBefore, at },
    );
    if (!isOurs || !isFinal) return;
    const detail = `The credentials could not be renewed (${describe(error)}): reconnect.`;
    await setHealth(deps, tx, { organizationId, id }, { status: "expired", detail });
    await deps.audit.append(tx, {
      organizationId,
      actor: { kind: "system", id: "integrations" },
      action: "credential.rotated",
      target: { kind: "integration", id },
      outcome: "failed",
      details: { reason: describe(error) },
    });
  });
  deps.events.wake(connectionHealthChanged);
  deps.log.warn(
    { err: error, organizationId, integrationId: id, isFinal },
    "credentials not refreshed",
  );
}

/** Whether only a person can help: the vendor said no, or took a token that works once and its answer was lost. */
function endsConnection(error: unknown, { isSingleUse }: Refresh): boolean {
  if (!(error instanceof ConnectorError)) return isSingleUse;
  switch (error.kind) {
    case "unavailable":
    case "rate_limited":
      return false;
    case "uncertain":
      return isSingleUse;
    case "unauthorized":
    case "missing_permission":
    case "not_member":
    case "gone":
    case "rejected":
      return true;
  }
}

function retryMsOf(error: unknown): number {
  const askedMs = error instanceof ConnectorError ? (error.retryAfterMs ?? 0) : 0;
  return Math.max(RETRY_MS, Math.min(askedMs, 3_600_000));
}

function describe(error: unknown): string {
  return error instanceof ConnectorError ? error.message : "the new ones could not be stored";
}

async function rememberUse(
  deps: RefreshDeps,
  tx: DatabaseTransaction,
  { organizationId, id }: Target,
): Promise<void> {
  await deps.audit.append(tx, {
    organizationId,
    actor: { kind: "system", id: "integrations" },
    action: "credential.used",
    target: { kind: "integration", id },
    outcome: "ok",
    details: { for: "refresh" },
  });
}
