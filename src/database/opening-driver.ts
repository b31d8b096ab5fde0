import { AsyncLocalStorage } from "node:async_hooks";
import {
  CompiledQuery,
  PostgresDialect,
  PostgresDriver,
  type DatabaseConnection,
  type PostgresDialectConfig,
  type QueryResult,
  type TransactionSettings,
} from "kysely";

/** How the next transaction of this call is to begin. */
interface Opening {
  /** Statements behind its `begin`. */
  readonly sql: string;
  isUsed: boolean;
}

/** A transaction under way on a connection. */
interface Held {
  readonly begin: Promise<unknown>;
  hasRun: boolean;
}

const openings = new AsyncLocalStorage<Opening>();

/** Runs `work`, whose first transaction begins with `sql`, sent together with `begin`. */
export function openingWith<Result>(sql: string, work: () => Promise<Result>): Promise<Result> {
  return openings.run({ sql, isUsed: false }, work);
}

/**
 * Begins transactions with statements of ours, and without waiting for them: `begin` travels with
 * the first statement. Round trips are most of what a small transaction costs, here and at the
 * server: one with two statements takes 3 instead of 4.
 */
export class OpeningDialect extends PostgresDialect {
  readonly #config: PostgresDialectConfig;

  constructor(config: PostgresDialectConfig) {
    super(config);
    this.#config = config;
  }

  override createDriver(): OpeningDriver {
    return new OpeningDriver(this.#config);
  }
}

class OpeningDriver extends PostgresDriver {
  readonly #held = new WeakMap<DatabaseConnection, Held>();
  readonly #patched = new WeakSet<DatabaseConnection>();

  override async acquireConnection(
    ...args: Parameters<PostgresDriver["acquireConnection"]>
  ): Promise<DatabaseConnection> {
    const connection = await super.acquireConnection(...args);
    if (this.#patched.has(connection)) return connection;
    this.#patched.add(connection);
    const execute = connection.executeQuery.bind(connection);
    // Kysely finds its connections by identity, so this one is changed rather than wrapped.
    connection.executeQuery = <Row>(
      query: CompiledQuery,
      options?: Parameters<DatabaseConnection["executeQuery"]>[1],
    ) => {
      const held = this.#held.get(connection);
      return held ? executeHeld<Row>(held, execute, query) : execute<Row>(query, options);
    };
    return connection;
  }

  override async beginTransaction(
    connection: DatabaseConnection,
    settings: TransactionSettings,
  ): Promise<void> {
    const opening = openings.getStore();
    if (settings.isolationLevel !== undefined || settings.accessMode !== undefined) {
      return super.beginTransaction(connection, settings);
    }
    // Once: a transaction that `work` begins on another connection is not this one.
    const isOurs = opening !== undefined && !opening.isUsed;
    if (isOurs) opening.isUsed = true;
    const begin = connection.executeQuery(
      CompiledQuery.raw(isOurs ? `begin; ${opening.sql}` : "begin"),
    );
    // Whoever runs the first statement, or ends the transaction, sees the failure.
    begin.catch(() => undefined);
    this.#held.set(connection, { begin, hasRun: false });
  }

  override async commitTransaction(connection: DatabaseConnection): Promise<void> {
    const held = this.#held.get(connection);
    this.#held.delete(connection);
    await held?.begin;
    await super.commitTransaction(connection);
  }

  override async rollbackTransaction(
    connection: Parameters<PostgresDriver["rollbackTransaction"]>[0],
  ): Promise<void> {
    this.#held.delete(connection);
    try {
      await super.rollbackTransaction(connection);
    } catch {
      // The connection is gone, and the transaction with it: what the work failed with is the reason.
    }
  }
}

type Execute = <Row>(query: CompiledQuery) => Promise<QueryResult<Row>>;

async function executeHeld<Row>(
  held: Held,
  execute: Execute,
  query: CompiledQuery,
): Promise<QueryResult<Row>> {
  if (held.hasRun) return execute<Row>(query);
  held.hasRun = true;
  // After a `begin` whose settings failed the transaction is aborted: the statement fails, it never runs outside.
  const [begun, done] = await Promise.allSettled([held.begin, execute<Row>(query)]);
  if (begun.status === "rejected") throw begun.reason;
  if (done.status === "rejected") throw done.reason;
  return done.value;
}
