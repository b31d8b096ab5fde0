import { AsyncLocalStorage } from "node:async_hooks";
import {
  CompiledQuery,
  PostgresDialect,
  PostgresDriver,
  type DatabaseConnection,
  type PostgresDialectConfig,
  type TransactionSettings,
} from "kysely";

/** Statements that are to follow the next `begin` of this call, in its own round trip. */
interface Opening {
  sql: string | undefined;
}

const openings = new AsyncLocalStorage<Opening>();

/** Runs `work`, whose first transaction begins with `sql`, sent together with `begin`. */
export function openingWith<Result>(sql: string, work: () => Promise<Result>): Promise<Result> {
  return openings.run({ sql }, work);
}

/**
 * Begins transactions with statements of ours. Kysely knows isolation levels only, and statements
 * after its `begin` would each cost a round trip: 4 instead of 2 for what surrounds a query.
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
  override async beginTransaction(
    connection: DatabaseConnection,
    settings: TransactionSettings,
  ): Promise<void> {
    const opening = openings.getStore();
    const sql = opening?.sql;
    if (opening === undefined || sql === undefined) {
      await super.beginTransaction(connection, settings);
      return;
    }
    // Once: a transaction that `work` begins on another connection is not this one.
    opening.sql = undefined;
    try {
      await connection.executeQuery(CompiledQuery.raw(`begin; ${sql}`));
    } catch (error) {
      // Kysely takes a failed begin for none, and would return the connection inside a transaction.
      await connection.executeQuery(CompiledQuery.raw("rollback"));
      throw error;
    }
  }
}
