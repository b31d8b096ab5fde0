import { ConnectorError, type Resource } from "@infragpt/connector-kit";
import { sqlExecutor, withTenant, type Database, type DatabaseTransaction } from "#database";
import {
  AppError,
  RetryLater,
  deadline,
  type Abortable,
  type Clock,
  type Ids,
  type Jobs,
  type Log,
  type Queue,
} from "#platform";
import type { Connections } from "../connections.ts";
import type { Integration } from "../model.ts";
import { finishSync, noteSyncFailure, upsertResources } from "./store.ts";

const PAGE_TIMEOUT_MS = 30_000;
/** Beyond this an account is not listed further: what was seen stays. */
const PAGES_MAX = 1_000;
const PAGE_RESOURCES_MAX = 1_000;

interface SyncJob {
  readonly organizationId: string;
  readonly integrationId: string;
}

interface SyncDeps {
  readonly db: Database;
  readonly jobs: Jobs;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly log: Log;
  readonly connections: Connections;
}

export interface ResourceSync {
  /** Lists an account's resources again soon, if the transaction commits. One listing at a time runs for an integration. */
  enqueue(
    tx: DatabaseTransaction,
    integration: Pick<Integration, "organizationId" | "id">,
  ): Promise<void>;
  wake(): void;
}

export function createResourceSync(deps: SyncDeps): ResourceSync {
  const queue: Queue<SyncJob> = deps.jobs.define<SyncJob>({
    name: "sync-resources",
    isOrdered: true,
    concurrencyMax: 4,
    retriesMax: 8,
    retryDelaySeconds: 5,
    retryDelaySecondsMax: 900,
    runSecondsMax: 900,
    handle: (job, options) => syncResources(deps, job.data, options),
  });
  return {
    enqueue: (tx, { organizationId, id }) =>
      queue.enqueue(sqlExecutor(tx), [
        { id: deps.ids(), key: id, data: { organizationId, integrationId: id } },
      ]),
    wake: () => queue.wake(),
  };
}

/** Lists everything anew; what is in no page is forgotten at the end. May run twice. */
async function syncResources(
  deps: Omit<SyncDeps, "jobs" | "ids">,
  { organizationId, integrationId }: SyncJob,
  options: Abortable,
): Promise<void> {
  const startedAt = deps.clock.now();
  try {
    let pageToken: string | undefined;
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const signal = deadline(options.signal, PAGE_TIMEOUT_MS);
      const open = await deps.connections.open(organizationId, integrationId, { signal });
      const listed = await open.connector.resources?.list(
        open.connection,
        pageToken === undefined ? {} : { pageToken },
        { signal },
      );
      if (!listed) return;
      const resources = listed.resources.slice(0, PAGE_RESOURCES_MAX).filter(isStorable);
      await withTenant(deps.db, organizationId, (tx) =>
        upsertResources(tx, organizationId, integrationId, resources, startedAt),
      );
      pageToken = listed.nextPageToken;
      if (pageToken === undefined) break;
    }
    await withTenant(deps.db, organizationId, (tx) =>
      finishSync(tx, organizationId, integrationId, startedAt),
    );
    deps.log.info({ organizationId, integrationId }, "resources listed");
  } catch (error) {
    // Ended or suspended since: nothing is left to list.
    if (error instanceof AppError) return;
    await note(deps, organizationId, integrationId, error);
    throw laterFor(error);
  }
}

async function note(
  deps: Pick<SyncDeps, "db" | "connections">,
  organizationId: string,
  integrationId: string,
  error: unknown,
): Promise<void> {
  const failure = error instanceof ConnectorError ? error.message : "an unexpected failure";
  await withTenant(deps.db, organizationId, (tx) =>
    noteSyncFailure(tx, organizationId, integrationId, failure),
  );
  if (!(error instanceof ConnectorError)) return;
  await deps.connections.note({ organizationId, id: integrationId }, error);
}

function laterFor(error: unknown): unknown {
  if (!(error instanceof ConnectorError) || error.kind !== "rate_limited") return error;
  return new RetryLater(error.retryAfterMs ?? 60_000, error.message, { cause: error });
}

/** A connector may be a plug-in: one odd resource must not fail the others. */
function isStorable({ id, kind, name, url }: Resource): boolean {
  const texts = [id, kind, name, url ?? "-"];
  return texts.every((text) => text.length > 0 && text.length <= 1_000 && !text.includes("\u0000"));
}
