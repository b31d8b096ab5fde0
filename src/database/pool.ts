import { Kysely } from "kysely";
import { Client, Pool, type ClientBase } from "pg";
import type { Log } from "#platform";
import type { Database } from "./database.ts";
import { registerTenants } from "./tenants.ts";
import { OpeningDialect } from "./opening-driver.ts";
import type { Tables } from "./tables/index.ts";

/** Where the database is, as `pg` and everything built on it take it. Holds the password: never log it. */
export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly ssl?: boolean | { readonly rejectUnauthorized: boolean };
}

interface PoolOptions {
  readonly connection: ConnectionOptions;
  readonly sizeMax: number;
  readonly applicationName: string;
  readonly log: Log;
  /** Its connections act as this role from their first moment. */
  readonly role?: string;
}

/** Statements that get a name of their own: a session keeps each plan in memory until it ends. */
const NAMED_STATEMENTS_MAX = 500;
const CONNECT_TIMEOUT_MS = 5_000;
// No statement of ours is meant to take longer; one that does is stuck behind a lock.
const STATEMENT_TIMEOUT_MS = 30_000;
const IDLE_TRANSACTION_TIMEOUT_MS = 60_000;

const nameOfStatement = new Map<string, string>();

/** A pool of connections. Their errors go to the log: one that breaks, idle or in use, ends nothing else. */
export function openPool({ connection, sizeMax, applicationName, log, role }: PoolOptions): Pool {
  const pool = new Pool({
    ...connection,
    Client: NamingClient,
    max: sizeMax,
    application_name: applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    // Statements go out without waiting for the answers to those before them.
    pipeline: true,
    // oxlint-disable-next-line typescript/no-misused-promises -- the pool awaits it; its types do not say so.
    onConnect: async (client: ClientBase) => {
      // Every statement of ours finds rows by key, whatever the values: planning them anew each time
      // cost more than running them, up to 1 ms under row-level security.
      await client.query("set plan_cache_mode = force_generic_plan");
      if (role !== undefined) await client.query(`set role ${role}`);
    },
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_TRANSACTION_TIMEOUT_MS,
  });
  pool.on("error", (error) => log.warn({ err: error }, "an idle database connection broke"));
  listenWhileInUse(pool, log);
  return pool;
}

/**
 * The pool takes its own listener off a connection that it hands out, and an error that nobody hears
 * ends the process. Whoever holds the connection learns of it from the statement under way or from the
 * next one, which says only that the connection is gone: the reason is in the log.
 */
function listenWhileInUse(pool: Pool, log: Log): void {
  const broken = new WeakSet<ClientBase>();
  function onError(this: ClientBase, error: Error): void {
    // A connection that breaks says so several times: the server's word first, then the socket's.
    if (broken.has(this)) return;
    broken.add(this);
    log.warn({ err: error }, "a database connection broke in use");
  }
  pool.on("acquire", (client) => client.on("error", onError));
  pool.on("release", (_error, client) => client.off("error", onError));
}

/**
 * Where `tenants` is a pool of its own, tenant transactions run there. Its connections are the tenant
 * role's, so that a statement whose `begin` got lost sees nothing instead of everything.
 */
export function openKysely(pool: Pool, tenants: Pool = pool): Database {
  const db = new Kysely<Tables>({ dialect: new OpeningDialect({ pool }) });
  const tenantDb =
    tenants === pool ? db : new Kysely<Tables>({ dialect: new OpeningDialect({ pool: tenants }) });
  registerTenants(db, { db: tenantDb, pool: tenants });
  return db;
}

/**
 * Names every statement that has parameters after its text, so that PostgreSQL parses and plans it
 * once per connection. Statements without parameters are mostly `begin` and `commit`, or many at
 * once in a migration, which cannot be prepared.
 */
class NamingClient extends Client {
  #isCorked = false;

  /** Everything asked within one tick goes out in one write: the call into the kernel costs more than the statement. */
  #sendTogether(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    const { stream } = this.connection;
    stream.cork();
    process.nextTick(() => {
      this.#isCorked = false;
      stream.uncork();
    });
  }

  // The overloads of pg are many and all pass through here untouched, but for one shape.
  override query(...args: unknown[]): never {
    this.#sendTogether();
    const [text, values] = args;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion, typescript/unbound-method -- called with this below.
    const call = super.query as (...callArgs: unknown[]) => never;
    if (typeof text !== "string" || !Array.isArray(values) || values.length === 0) {
      return call.apply(this, args);
    }
    const name = nameFor(text);
    if (name === undefined) return call.apply(this, args);
    return call.call(this, { name, text, values }, ...args.slice(2));
  }
}

function nameFor(text: string): string | undefined {
  const known = nameOfStatement.get(text);
  if (known !== undefined) return known;
  if (nameOfStatement.size >= NAMED_STATEMENTS_MAX) return undefined;
  const name = `s${nameOfStatement.size + 1}`;
  nameOfStatement.set(text, name);
  return name;
}
