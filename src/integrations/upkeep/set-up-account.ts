import { ConnectorError, type Connector } from "@infragpt/connector-kit";
import { sqlExecutor, withTenant, type Database, type DatabaseTransaction } from "#database";
import {
  AppError,
  RetryLater,
  deadline,
  type Abortable,
  type Clock,
  type Ids,
  type Jobs,
  type Keyring,
  type Log,
} from "#platform";
import type { Connections } from "../connections.ts";
import { sealCredentials } from "../credentials.ts";
import type { Integration } from "../model.ts";
import { listCredentialVersions, writeCredential } from "../store.ts";

const SET_UP_TIMEOUT_MS = 30_000;

interface SetUpJob {
  readonly organizationId: string;
  readonly integrationId: string;
}

interface SetUpDeps {
  readonly db: Database;
  readonly jobs: Jobs;
  readonly keyring: Keyring;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly log: Log;
  readonly connectors: ReadonlyMap<string, Connector>;
  readonly connections: Connections;
  readonly publicUrl: () => string;
}

export interface SetUps {
  /** Prepares an account soon, if the transaction commits and its connector has something to prepare. */
  enqueue(tx: DatabaseTransaction, integration: Integration): Promise<void>;
  wake(): void;
}

export function createSetUps(deps: SetUpDeps): SetUps {
  const queue = deps.jobs.define<SetUpJob>({
    name: "set-up-account",
    isOrdered: true,
    concurrencyMax: 4,
    retriesMax: 12,
    retryDelaySeconds: 2,
    retryDelaySecondsMax: 900,
    runSecondsMax: 60,
    handle: (job, options) => setUp(deps, job.data, options),
  });
  return {
    async enqueue(tx, { id, organizationId, connectorId }) {
      if (!deps.connectors.get(connectorId)?.setUp) return;
      const data = { organizationId, integrationId: id };
      await queue.enqueue(sqlExecutor(tx), [{ id: deps.ids(), key: id, data }]);
    },
    wake: () => queue.wake(),
  };
}

async function setUp(deps: SetUpDeps, job: SetUpJob, options: Abortable): Promise<void> {
  const { organizationId, integrationId: id } = job;
  try {
    const signal = deadline(options.signal, SET_UP_TIMEOUT_MS);
    const { connector, connection } = await deps.connections.open(organizationId, id, { signal });
    const webhookUrl = webhookUrlOf(deps, connector, id);
    const result = await connector.setUp?.(connection, { webhookUrl }, { signal });
    await store(deps, job, result?.credentials ?? {}, options);
    deps.log.info({ organizationId, integrationId: id }, "account set up");
  } catch (error) {
    // Ended or suspended since: nothing is left to prepare.
    if (error instanceof AppError) return;
    if (!(error instanceof ConnectorError)) throw error;
    await deps.connections.note({ organizationId, id }, error);
    if (error.kind === "rate_limited") {
      throw new RetryLater(error.retryAfterMs ?? 60_000, error.message, { cause: error });
    }
    throw error;
  }
}

function webhookUrlOf(
  { publicUrl }: SetUpDeps,
  connector: Connector,
  integrationId: string,
): string | undefined {
  const own = connector.webhooks?.find((webhook) => webhook.isPerIntegration === true);
  return own && `${publicUrl()}${own.path.replace(/:id$/, integrationId)}`;
}

async function store(
  deps: SetUpDeps,
  { organizationId, integrationId }: SetUpJob,
  credentials: NonNullable<Awaited<ReturnType<NonNullable<Connector["setUp"]>>>["credentials"]>,
  options: Abortable,
): Promise<void> {
  if (Object.keys(credentials).length === 0) return;
  const versions = await withTenant(deps.db, organizationId, (tx) =>
    listCredentialVersions(tx, organizationId, integrationId),
  );
  const owner = { organizationId, integrationId };
  const sealed = await sealCredentials(deps, owner, credentials, versions, options);
  await withTenant(deps.db, organizationId, async (tx) => {
    for (const credential of sealed) {
      const at = deps.clock.now();
      if (await writeCredential(tx, organizationId, integrationId, { ...credential, at })) continue;
      throw new Error("A credential was written while its account was set up.");
    }
  });
}
