import { withSystem } from "#database";
import type { Abortable } from "#platform";
import type { AuditActor, AuditEntry, ChainedEntry, SignedHead } from "./model.ts";
import { signHead, type SignDeps } from "./sign-heads.ts";
import { openSigningKeys, type SigningKey } from "./signing-key.ts";
import { listChain, listSignedHeads, readChainEnd } from "./store.ts";

export interface ExportInput {
  /** From this time on, by the time of the entries. */
  readonly from?: Date | undefined;
  /** Before this time. */
  readonly to?: Date | undefined;
  /** Who takes it away: the export is itself an entry. */
  readonly by: AuditActor;
}

interface ExportDeps extends SignDeps {
  readonly record: (entry: AuditEntry) => Promise<void>;
}

const BATCH = 500;

/**
 * The chain of an organization as lines of JSON, without line feeds: entries in their order, then
 * the signed head with the public key. `body` is canonical (RFC 8785), so that a line can be hashed
 * again anywhere; see hashOfEntry.
 */
export async function* exportEntries(
  deps: ExportDeps,
  organizationId: string,
  { from, to, by }: ExportInput,
  options: Abortable,
): AsyncGenerator<string> {
  const range = { from: from?.toISOString(), to: to?.toISOString() };
  await deps.record({
    organizationId,
    actor: by,
    action: "audit.exported",
    outcome: "ok",
    details: range,
  });
  await signHead(deps, organizationId, options);
  const { lastSigned } = await withSystem(deps.db, "find the end of an audit export", (tx) =>
    readChainEnd(tx, organizationId),
  );
  const seqMax = lastSigned?.seq ?? 0;
  let afterSeq = 0;
  for (;;) {
    options.signal.throwIfAborted();
    const rows = await withSystem(deps.db, "export an audit chain", (tx) =>
      listChain(tx, organizationId, { afterSeq, seqMax, from, to, limit: BATCH }),
    );
    for (const row of rows) yield entryLine(row);
    afterSeq = rows.at(-1)?.seq ?? afterSeq;
    if (rows.length < BATCH) break;
  }
  const [head] = await withSystem(deps.db, "export a signed audit head", (tx) =>
    listSignedHeads(tx, organizationId, { afterSeq: seqMax - 1, seqMax }),
  );
  const keys = await openSigningKeys(deps, options);
  if (head) yield headLine(head, keys.get(head.keyId));
}

function entryLine({ organizationId, seq, at, body, prevHash, hash }: ChainedEntry): string {
  const facts = JSON.stringify({
    kind: "entry",
    organization_id: organizationId,
    seq,
    at: at.toISOString(),
    prev_hash: prevHash.toString("hex"),
    hash: hash.toString("hex"),
  });
  // The text that was hashed goes out as it is.
  return `${facts.slice(0, -1)},"body":${body}}`;
}

function headLine(head: SignedHead, key: SigningKey | undefined): string {
  return JSON.stringify({
    kind: "signed_head",
    organization_id: head.organizationId,
    seq: head.seq,
    hash: head.hash.toString("hex"),
    signed_at: head.signedAt.toISOString(),
    key_id: head.keyId,
    public_key: key?.publicKey.export({ format: "der", type: "spki" }).toString("base64"),
    signature: head.signature.toString("base64"),
  });
}
