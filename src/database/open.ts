import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import { Client } from "pg";
import type { Abortable, Log } from "#platform";
import type { Database } from "./database.ts";
import { openEmbeddedServer } from "./embedded/open-embedded-server.ts";
import { openKysely, openPool, type ConnectionOptions } from "./pool.ts";
import { TENANT_ROLE } from "./tenants.ts";
import { parseDatabaseUrl } from "./parse-database-url.ts";
import { isRefusal, reasonOf, unreachable } from "./unreachable.ts";

export interface OpenDatabaseOptions extends Abortable {
  readonly connection:
    | {
        readonly kind: "url";
        /** A `Secret<string>`: "postgres://user:password@host:port/database?sslmode=require". */
        readonly url: { reveal(): string };
        readonly poolSize: number;
      }
    | {
        readonly kind: "embedded";
        /** INFRAGPT_HOME. The cluster lives below it in `postgres/`. */
        readonly directory: string;
        /** Use the server of a running service, if there is one. For the command line. */
        readonly attach: boolean;
        readonly poolSize: number;
      };
  readonly log: Log;
  /** How long to go on trying while the server cannot be reached. */
  readonly waitMs: number;
}

export interface OpenDatabase {
  readonly db: Database;
  /** A small pool of its own for ingest, so that acknowledgements never queue behind other work. */
  readonly ingestDb: Database;
  /** For what opens its own connections: jobs, LISTEN. Holds the password: never log it. */
  readonly connection: ConnectionOptions;
  /** Resolves when the database answers; throws AppError("unavailable") when it does not. */
  check(options: Abortable): Promise<void>;
  /** Ends the pools, then the embedded server where this process started it. */
  close(): Promise<void>;
}

// Two batches are in flight at most, and one connection is spare for a slow one.
const INGEST_POOL_SIZE = 3;
const CHECK_TIMEOUT_MS = 3_000;
const RETRY_DELAY_MS_MAX = 2_000;

/**
 * Opens the database and waits up to `waitMs` for it to answer. Throws AppError("unavailable") that
 * says what to check, or AppError("conflict") when another process holds the embedded directory.
 */
export async function openDatabase(options: OpenDatabaseOptions): Promise<OpenDatabase> {
  const source = options.connection;
  if (source.kind === "url") {
    const connection = parseDatabaseUrl(source.url.reveal());
    await waitUntilReachable(connection, options);
    return openPools(connection, options, () => Promise.resolve());
  }
  const { directory, attach } = source;
  const server = await openEmbeddedServer({ ...options, directory, attach });
  try {
    await waitUntilReachable(server.connection, options);
    return openPools(server.connection, options, () => server.stop());
  } catch (error) {
    await server.stop();
    throw error;
  }
}

function openPools(
  connection: ConnectionOptions,
  { connection: { poolSize }, log }: OpenDatabaseOptions,
  stopServer: () => Promise<void>,
): OpenDatabase {
  const sizeMax = poolSize;
  const tenants = openPool({
    connection,
    sizeMax,
    applicationName: "infragpt-tenants",
    log,
    role: TENANT_ROLE,
  });
  const db = openKysely(
    openPool({ connection, sizeMax, applicationName: "infragpt", log }),
    tenants,
  );
  const ingestDb = openKysely(
    openPool({
      connection,
      sizeMax: INGEST_POOL_SIZE,
      applicationName: "infragpt-ingest",
      log,
    }),
  );
  return {
    db,
    ingestDb,
    connection,
    check: ({ signal }) => check(db, connection, signal),
    async close() {
      await Promise.all([db.destroy(), ingestDb.destroy(), tenants.end()]);
      await stopServer();
    },
  };
}

async function check(
  db: Database,
  connection: ConnectionOptions,
  signal: AbortSignal,
): Promise<void> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(CHECK_TIMEOUT_MS)]);
  try {
    await sql`select 1`.execute(db, { signal: limited });
  } catch (cause) {
    throw unreachable(connection, cause);
  }
}

async function waitUntilReachable(
  connection: ConnectionOptions,
  { log, signal, waitMs }: OpenDatabaseOptions,
): Promise<void> {
  const deadlineAt = performance.now() + waitMs;
  for (let delayMs = 100; ; delayMs = Math.min(delayMs * 2, RETRY_DELAY_MS_MAX)) {
    try {
      await connectOnce(connection);
      return;
    } catch (cause) {
      signal.throwIfAborted();
      if (performance.now() + delayMs > deadlineAt || isRefusal(cause)) {
        throw unreachable(connection, cause);
      }
      const { host, port } = connection;
      log.warn(
        { host, port, reason: reasonOf(cause) },
        "the database does not answer, trying again",
      );
      await sleep(delayMs, undefined, { signal });
    }
  }
}

async function connectOnce(connection: ConnectionOptions): Promise<void> {
  const client = new Client({ ...connection, connectionTimeoutMillis: CHECK_TIMEOUT_MS });
  // A connection that breaks later is reported by its pool; this one is about to be closed.
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query("select 1");
  } finally {
    await client.end();
  }
}
