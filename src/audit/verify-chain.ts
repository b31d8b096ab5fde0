import { withSystem, type Database } from "#database";
import type { Abortable, Keyring } from "#platform";
import { GENESIS_HASH, hashOfEntry } from "./chain.ts";
import type { ChainedEntry } from "./model.ts";
import { isSignedBy, openSigningKeys, type SigningKey } from "./signing-key.ts";
import { listChain, listSignedHeads, readChainEnd } from "./store.ts";

interface VerifyDeps {
  readonly db: Database;
  readonly keyring: Keyring;
}

/** What a chain came to. `seq` is the first row that is wrong or missing. */
export type Verification =
  | { readonly ok: true; readonly rows: number }
  | { readonly ok: false; readonly seq: number; readonly reason: string };

export interface VerifyOptions extends Abortable {
  /**
   * Hashes in hex by seq that were kept elsewhere: from an export or the log. They also show a chain
   * that was rewritten whole, with every signed head removed.
   */
  readonly knownHashes?: ReadonlyMap<number, string>;
}

interface Walk {
  readonly organizationId: string;
  readonly keys: ReadonlyMap<string, SigningKey>;
  readonly knownHashes: ReadonlyMap<number, string>;
  seq: number;
  hash: Buffer;
}

/** Rows in memory at once; each is 33 KB at most and mostly below 1 KB. */
const BATCH = 500;

/**
 * Walks a chain from its first row: every hash, every number, every signed head, and at the end
 * that nothing was cut off. Rows that are appended meanwhile are left for the next time.
 */
export async function verifyChain(
  deps: VerifyDeps,
  organizationId: string,
  options: VerifyOptions,
): Promise<Verification> {
  const walk: Walk = {
    organizationId: organizationId.toLowerCase(),
    keys: await openSigningKeys(deps, options),
    knownHashes: options.knownHashes ?? new Map(),
    seq: 0,
    hash: GENESIS_HASH,
  };
  for (;;) {
    options.signal.throwIfAborted();
    const rows = await withSystem(deps.db, "verify an audit chain", (tx) =>
      listChain(tx, walk.organizationId, { afterSeq: walk.seq, limit: BATCH }),
    );
    const problem = walkRows(walk, rows) ?? (await checkSignatures(deps, walk, rows));
    if (problem) return problem;
    if (rows.length < BATCH) return checkEnd(deps, walk);
  }
}

function walkRows(walk: Walk, rows: readonly ChainedEntry[]): Verification | undefined {
  for (const row of rows) {
    const seq = walk.seq + 1;
    if (row.seq !== seq) return bad(seq, `Row ${seq} is missing: the next is row ${row.seq}.`);
    if (!hashOfEntry(row).equals(row.hash)) {
      return bad(seq, `Row ${seq} was changed: its content does not have its hash.`);
    }
    if (!row.prevHash.equals(walk.hash)) {
      return bad(seq, `Row ${seq} does not follow row ${walk.seq}: one of them was rewritten.`);
    }
    const known = walk.knownHashes.get(seq);
    if (known !== undefined && known !== row.hash.toString("hex")) {
      return bad(
        seq,
        `Row ${seq} is not the one that was exported: it or one before was rewritten.`,
      );
    }
    walk.seq = seq;
    walk.hash = row.hash;
  }
  return undefined;
}

async function checkSignatures(
  { db }: VerifyDeps,
  { organizationId, keys }: Walk,
  rows: readonly ChainedEntry[],
): Promise<Verification | undefined> {
  const [first, last] = [rows[0], rows.at(-1)];
  if (!first || !last) return undefined;
  const heads = await withSystem(db, "verify signed audit heads", (tx) =>
    listSignedHeads(tx, organizationId, { afterSeq: first.seq - 1, seqMax: last.seq }),
  );
  for (const head of heads) {
    const { seq } = head;
    if (!isSignedBy(keys, head))
      return bad(seq, `The signature of the head at row ${seq} is false.`);
    if (rows[seq - first.seq]?.hash.equals(head.hash) !== true) {
      return bad(seq, `Row ${seq} is not the one that was signed: it or one before was rewritten.`);
    }
  }
  return undefined;
}

/** Compares where the walk ended with everything that says where the chain ends. */
async function checkEnd({ db }: VerifyDeps, walk: Walk): Promise<Verification> {
  const end = await withSystem(db, "verify the end of an audit chain", (tx) =>
    readChainEnd(tx, walk.organizationId),
  );
  const { head, lastSeq, lastSigned } = end;
  // Entries and head are read at one moment: whatever was appended since the walk is in both.
  const headSeq = head?.seq ?? 0;
  const next = lastSeq + 1;
  if (lastSigned && lastSigned.seq > lastSeq) {
    const { seq, signedAt } = lastSigned;
    return bad(
      next,
      `${gap(next, seq)}: the head signed at ${signedAt.toISOString()} names row ${seq}.`,
    );
  }
  const knownSeq = Math.max(0, ...walk.knownHashes.keys());
  if (knownSeq > lastSeq)
    return bad(next, `${gap(next, knownSeq)}: an export has row ${knownSeq}.`);
  if (headSeq > lastSeq) return bad(next, `${gap(next, headSeq)}: the head names row ${headSeq}.`);
  if (headSeq < lastSeq) {
    return bad(
      headSeq + 1,
      `Row ${headSeq + 1} was put in behind the head, which names row ${headSeq}.`,
    );
  }
  if (lastSeq < walk.seq)
    return bad(next, `${gap(next, walk.seq)}: they went while this was checked.`);
  if (head && headSeq === walk.seq && !head.hash.equals(walk.hash)) {
    return bad(
      headSeq,
      `Row ${headSeq} is not the one that the head names: one of them was rewritten.`,
    );
  }
  return { ok: true, rows: walk.seq };
}

function gap(from: number, to: number): string {
  return from === to
    ? `Row ${from} was cut off the end`
    : `Rows ${from} to ${to} were cut off the end`;
}

function bad(seq: number, reason: string): Verification {
  return { ok: false, seq, reason };
}
