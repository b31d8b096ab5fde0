import { ConnectorError, type Connector } from "@infragpt/connector-kit";
import type { Audit } from "#audit";
import {
  sqlExecutor,
  withSystem,
  withTenant,
  type Database,
  type DatabaseTransaction,
} from "#database";
import {
  RetryLater,
  deadline,
  type Abortable,
  type Clock,
  type Ids,
  type Jobs,
  type Keyring,
  type Log,
} from "#platform";
import { findAnyIntegration, findIntegrationOfAccount } from "../connected/store.ts";
import { openSealed } from "../credentials.ts";
import type { Integration } from "../model.ts";
import { deleteRevocationCredentials, listRevocationCredentials } from "./store.ts";

const REVOKE_TIMEOUT_MS = 20_000;

interface RevocationJob {
  readonly organizationId: string;
  readonly integrationId: string;
  /** How many wait for this job; none where the service's own key is all that an account needs. */
  readonly credentialCount: number;
}

interface RevocationDeps {
  readonly db: Database;
  readonly jobs: Jobs;
  readonly keyring: Keyring;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: Pick<Audit, "append">;
  readonly connectors: ReadonlyMap<string, Connector>;
}

export interface Revocations {
  /** Takes the grant back at the vendor soon, if the transaction commits. */
  enqueue(
    tx: DatabaseTransaction,
    integration: Pick<Integration, "organizationId" | "id">,
    credentialCount: number,
  ): Promise<void>;
  wake(): void;
}

export function createRevocations(deps: RevocationDeps): Revocations {
  const queue = deps.jobs.define<RevocationJob>({
    name: "revoke-at-vendor",
    isOrdered: false,
    concurrencyMax: 4,
    // About a day: longer than a vendor's worst trouble.
    retriesMax: 30,
    retryDelaySeconds: 5,
    retryDelaySecondsMax: 3_600,
    runSecondsMax: 60,
    handle: (job, options) => revokeAtVendor(deps, job.data, options),
    onDead: (job, error) => finish(deps, job.data, { outcome: "failed", reason: messageOf(error) }),
  });
  return {
    async enqueue(tx, { organizationId, id }, credentialCount) {
      const data = { organizationId, integrationId: id, credentialCount };
      await queue.enqueue(sqlExecutor(tx), [{ id: deps.ids(), data }]);
    },
    wake: () => queue.wake(),
  };
}

/** May run twice: a grant that is gone counts as taken back. */
async function revokeAtVendor(
  deps: RevocationDeps,
  job: RevocationJob,
  options: Abortable,
): Promise<void> {
  const { organizationId, integrationId } = job;
  const { integration, sealed } = await withTenant(deps.db, organizationId, async (tx) => ({
    integration: await findAnyIntegration(tx, organizationId, integrationId),
    sealed: await listRevocationCredentials(tx, organizationId, integrationId),
  }));
  const connector = deps.connectors.get(integration?.connectorId ?? "");
  // Fewer than there were: an earlier run has finished.
  if (!integration || sealed.length < job.credentialCount) return;
  if (!connector?.revoke) {
    return finish(deps, job, { outcome: "failed", reason: "the connector is not running here" });
  }
  if (await isConnectedAgain(deps, integration)) {
    // The vendor may hand out the same grant twice: taking it back now would end the new connection.
    return finish(deps, job, { outcome: "ok", reason: "connected again since" });
  }
  const owner = { organizationId, integrationId };
  const credentials = await openSealed(deps, owner, sealed, options);
  const { profile } = integration;
  const connection = { integrationId, accountId: profile.accountId, credentials, profile };
  try {
    await connector.revoke(connection, { signal: deadline(options.signal, REVOKE_TIMEOUT_MS) });
  } catch (error) {
    if (!isFinal(error)) throw laterFor(error);
    return finish(deps, job, { outcome: "failed", reason: messageOf(error) });
  }
  return finish(deps, job, { outcome: "ok", reason: "taken back at the vendor" });
}

async function isConnectedAgain(
  deps: RevocationDeps,
  { connectorId, profile }: Integration,
): Promise<boolean> {
  const live = await withSystem(deps.db, "see whether an account is connected again", (tx) =>
    findIntegrationOfAccount(tx, connectorId, profile.accountId),
  );
  return live !== undefined;
}

/** Nothing is kept once the vendor has answered, or will never. */
async function finish(
  deps: RevocationDeps,
  { organizationId, integrationId }: RevocationJob,
  end: { readonly outcome: "ok" | "failed"; readonly reason: string },
): Promise<void> {
  await withTenant(deps.db, organizationId, async (tx) => {
    await deleteRevocationCredentials(tx, organizationId, integrationId);
    await deps.audit.append(tx, {
      organizationId,
      actor: { kind: "system", id: "integrations" },
      action: "credential.removed",
      target: { kind: "integration", id: integrationId },
      outcome: end.outcome,
      details: { at: "vendor", reason: end.reason },
    });
  });
  const facts = { organizationId, integrationId, reason: end.reason };
  if (end.outcome === "ok") deps.log.info(facts, "grant taken back");
  else deps.log.warn(facts, "grant not taken back: remove it at the vendor");
}

function isFinal(error: unknown): boolean {
  return (
    error instanceof ConnectorError &&
    (error.kind === "rejected" ||
      error.kind === "unauthorized" ||
      error.kind === "missing_permission")
  );
}

function laterFor(error: unknown): unknown {
  if (!(error instanceof ConnectorError) || error.kind !== "rate_limited") return error;
  return new RetryLater(error.retryAfterMs ?? 60_000, error.message, { cause: error });
}

function messageOf(error: unknown): string {
  return error instanceof ConnectorError ? error.message : "an unexpected failure";
}
