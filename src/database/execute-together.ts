import {
  AbortedTransactionError,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  type QueryResult,
} from "kysely";
import type { Pool, PoolClient } from "pg";
import type { DatabaseTransaction } from "./database.ts";
import type { Tables } from "./tables/index.ts";

const directs = new WeakMap<PoolClient, Direct>();

/**
 * Runs a transaction whose statements do not wait for each other: `begin`, they and `commit` go out
 * in one write. Kysely lets the statements of a transaction of its own wait for each other, so this
 * one is run on the connection itself.
 */
export async function executeTogether<Result>(
  pool: Pool,
  opening: string,
  work: (tx: DatabaseTransaction) => Promise<Result>,
): Promise<Result> {
  // From here on this runs in a microtask: what `work` makes before it waits for an answer is made
  // before the next tick, and so goes out before the commit.
  const client = await pool.connect();
  const direct = directOf(client);
  direct.isSent = false;
  const begin = client.query(`begin; ${opening}`);
  const committing = Promise.withResolvers<{ readonly command: string }>();
  process.nextTick(() => {
    direct.isSent = true;
    client.query("commit").then(committing.resolve, committing.reject);
  });
  const [begun, worked, committed] = await Promise.allSettled([
    begin,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it builds the same statements, on a connection inside a transaction.
    promised(work, direct.db as DatabaseTransaction),
    committing.promise,
  ]);
  // A connection on which even the commit failed is broken.
  client.release(committed.status === "rejected");
  for (const outcome of [begun, worked, committed]) {
    if (outcome.status === "rejected") throw outcome.reason;
  }
  if (worked.status === "rejected" || committed.status === "rejected")
    throw new Error("unreachable");
  // A statement that failed unseen turned the commit into a rollback.
  if (committed.value.command === "ROLLBACK") throw new AbortedTransactionError();
  return worked.value;
}

/** Also what `work` throws before it makes a promise: `begin` is on its way by then, and the connection held. */
async function promised<Result>(
  work: (tx: DatabaseTransaction) => Promise<Result>,
  tx: DatabaseTransaction,
): Promise<Result> {
  return work(tx);
}

/** A way to make statements on one connection without waiting in line. */
interface Direct {
  readonly db: Kysely<Tables>;
  isSent: boolean;
}

function directOf(client: PoolClient): Direct {
  const known = directs.get(client);
  if (known) return known;
  const direct: Direct = {
    db: new Kysely<Tables>({ dialect: directDialect(client, () => direct.isSent) }),
    isSent: false,
  };
  directs.set(client, direct);
  return direct;
}

function directDialect(client: PoolClient, isSent: () => boolean) {
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DirectDriver(client, isSent),
    createIntrospector: (db: Kysely<unknown>) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
}

class DirectDriver implements Driver {
  readonly #connection: DatabaseConnection;

  constructor(client: PoolClient, isSent: () => boolean) {
    this.#connection = {
      async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
        if (isSent())
          throw new Error("A statement came after its transaction was sent to be committed.");
        const { command, rowCount, rows } = await client.query(query.sql, [...query.parameters]);
        const isWrite =
          command === "INSERT" ||
          command === "UPDATE" ||
          command === "DELETE" ||
          command === "MERGE";
        return { rows, ...(isWrite ? { numAffectedRows: BigInt(rowCount ?? 0) } : {}) };
      },
      streamQuery: refuse,
    };
  }

  async init(): Promise<void> {}
  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection;
  }
  beginTransaction = refuse;
  commitTransaction = refuse;
  rollbackTransaction = refuse;
  async releaseConnection(): Promise<void> {}
  async destroy(): Promise<void> {}
}

function refuse(): never {
  throw new Error("Statements that go out together are one transaction already.");
}
