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
 * Runs works whose statements do not wait for each other as one transaction: `begin`, they and `commit` go
 * out in one write. Kysely lets the statements of a transaction of its own wait for each other, so this one
 * is run on the connection itself. Rejects when all of it was rolled back.
 */
export async function executeTogether<Result>(
  pool: Pool,
  opening: string,
  works: readonly ((tx: DatabaseTransaction) => Promise<Result>)[],
): Promise<readonly PromiseSettledResult<Result>[]> {
  // From here on this runs in a microtask: what the works make before they wait for an answer is made
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
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it builds the same statements, on a connection inside a transaction.
  const tx = direct.db as DatabaseTransaction;
  const [begun, committed, ...worked] = await Promise.allSettled([
    begin,
    committing.promise,
    // Async, so that what a work throws before it makes a promise is its own failure: `begin` is on its way.
    ...works.map(async (work) => work(tx)),
  ]);
  // A connection on which even the commit failed is broken.
  client.release(committed.status === "rejected");
  // Nobody knows whether it was committed, so none of it is run again here. Who failed first says why.
  if (committed.status === "rejected") {
    const reason = begun.status === "rejected" ? begun : committed;
    return worked.map((outcome) => (outcome.status === "rejected" ? outcome : reason));
  }
  if (begun.status === "rejected") throw begun.reason;
  if (committed.value.command !== "ROLLBACK") return worked;
  const failed = worked.find(({ status }) => status === "rejected");
  // A statement that failed unseen turned the commit into a rollback.
  throw failed?.status === "rejected" ? failed.reason : new AbortedTransactionError();
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
