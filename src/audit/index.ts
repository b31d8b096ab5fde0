import { withSystem, type Database, type DatabaseTransaction } from "#database";
import {
  createScrubber,
  type Abortable,
  type Clock,
  type Ids,
  type Keyring,
  type Log,
  type Principal,
  type Route,
  type Scrubber,
} from "#platform";
import { appendEntry } from "./append-entry.ts";
import { exportEntries, type ExportInput } from "./export-entries.ts";
import { listEntries, type ListedPage, type ListInput } from "./list-entries.ts";
import type { AuditEntry } from "./model.ts";
import { auditRoutes } from "./routes.ts";
import { keepSigning, signHeads } from "./sign-heads.ts";
import { listChains, listSigningKeys } from "./store.ts";
import { verifyChain, type Verification, type VerifyOptions } from "./verify-chain.ts";

export type { Json } from "./canonical-json.ts";
export type { ExportInput } from "./export-entries.ts";
export type { ListedPage, ListInput } from "./list-entries.ts";
export {
  SYSTEM_CHAIN_ID,
  type AuditAction,
  type AuditActor,
  type AuditEntry,
  type AuditOutcome,
  type ListedEntry,
} from "./model.ts";
export { createRefusals, type Refusals } from "./refusals.ts";
export type { Verification, VerifyOptions } from "./verify-chain.ts";

export interface AuditDeps {
  readonly db: Database;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly log: Log;
  /** Seals the key that signs heads. */
  readonly keyring: Keyring;
  /** Takes secrets out of entries; one that knows the shapes of secrets by default. */
  readonly scrubber?: Scrubber;
}

export interface Audit {
  readonly routes: readonly Route[];
  /**
   * Remembers an act in the transaction that does it: no act without its row, no row without the
   * act. Locks the organization's chain until `tx` ends, so it comes last in a transaction.
   */
  append(tx: DatabaseTransaction, entry: AuditEntry): Promise<void>;
  /** Remembers what has no transaction of its own, such as a refusal. */
  record(entry: AuditEntry): Promise<void>;
  /** Names the first row that is wrong or missing. Reads in batches; may be aborted. */
  verify(organizationId: string, options: VerifyOptions): Promise<Verification>;
  /** Every organization with a chain, and SYSTEM_CHAIN_ID, in pages by id. */
  listChains(page: { readonly after?: string; readonly limit: number }): Promise<readonly string[]>;
  /** JSON lines without line feeds: the entries, then the signed head. Records that it was asked for. */
  export(organizationId: string, input: ExportInput, options: Abortable): AsyncIterable<string>;
  /** The newest entries of the principal's organization. */
  list(principal: Principal, input: ListInput): Promise<ListedPage>;
  /** Signs the end of every chain that grew, and returns how many. Called at a stop. */
  signHeads(options: Abortable): Promise<number>;
  /** Signs now and every hour until aborted: `services.add("audit:sign", audit.keepSigning)`. */
  keepSigning(options: Abortable): Promise<void>;
}

/** Remembers what was done, in a way that shows when somebody changes it. */
export function createAudit(deps: AuditDeps): Audit {
  const { db } = deps;
  const appending = { clock: deps.clock, scrubber: deps.scrubber ?? createScrubber() };

  async function record(entry: AuditEntry): Promise<void> {
    await withSystem(db, "record an audit entry", (tx) => appendEntry(appending, tx, entry));
  }

  function list(principal: Principal, input: ListInput): Promise<ListedPage> {
    return listEntries(db, principal, input);
  }

  return {
    routes: auditRoutes({ list }),
    append: (tx, entry) => appendEntry(appending, tx, entry),
    record,
    verify: (organizationId, options) => verifyChain(deps, organizationId, options),
    listChains: ({ after, limit }) =>
      withSystem(db, "list audit chains", (tx) => listChains(tx, { after, limit })),
    export: (organizationId, input, options) =>
      exportEntries({ ...deps, record }, organizationId, input, options),
    list,
    signHeads: (options) => signHeads(deps, options),
    keepSigning: (options) => keepSigning(deps, options),
  };
}

/** Whether there is a signing key that only the right encryption keys open: then a missing key file is a lost one. */
export async function hasSigningKey(db: Database): Promise<boolean> {
  const keys = await withSystem(db, "look for audit signing keys", listSigningKeys);
  return keys.length > 0;
}
