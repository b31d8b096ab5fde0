import { setTimeout as sleep } from "node:timers/promises";
import { withSystem } from "#database";
import type { Abortable, Log } from "#platform";
import type { ChainHead, SignedHead } from "./model.ts";
import { signingKeyInUse, type SigningKeyDeps } from "./signing-key.ts";
import { insertSignedHeads, listUnsignedHeads } from "./store.ts";

export interface SignDeps extends SigningKeyDeps {
  readonly log: Log;
}

const BATCH = 500;
const INTERVAL_MS = 3_600_000;

/**
 * Signs the end of every chain that grew since it was signed last, and returns how many. Each
 * signature also goes to the log, and with the log off this machine: a copy that the database's
 * administrator cannot take back. May run in several replicas at once.
 */
export async function signHeads(deps: SignDeps, options: Abortable): Promise<number> {
  let signed = 0;
  let after: string | undefined;
  for (;;) {
    options.signal.throwIfAborted();
    const heads = await withSystem(deps.db, "find audit heads to sign", (tx) =>
      listUnsignedHeads(tx, { after, limit: BATCH }),
    );
    await sign(deps, heads, options);
    signed += heads.length;
    after = heads.at(-1)?.organizationId;
    if (heads.length < BATCH) return signed;
  }
}

/** Signs the end of one chain now, for an export. */
export async function signHead(
  deps: SignDeps,
  organizationId: string,
  options: Abortable,
): Promise<void> {
  const heads = await withSystem(deps.db, "find an audit head to sign", (tx) =>
    listUnsignedHeads(tx, { organizationId, limit: 1 }),
  );
  await sign(deps, heads, options);
}

/** Signs all heads now and every hour until the signal aborts. For `services.add`. */
export async function keepSigning(deps: SignDeps, options: Abortable): Promise<void> {
  while (!options.signal.aborted) {
    await signHeads(deps, options);
    await sleep(INTERVAL_MS, undefined, options).catch(() => undefined);
  }
}

async function sign(deps: SignDeps, heads: readonly ChainHead[], options: Abortable) {
  if (heads.length === 0) return;
  const key = await signingKeyInUse(deps, options);
  const signedAt = deps.clock.now();
  const signedHeads = heads.map((head) => key.sign(head, signedAt));
  await withSystem(deps.db, "store signed audit heads", (tx) => insertSignedHeads(tx, signedHeads));
  for (const head of signedHeads) deps.log.info(logFieldsOf(head), "audit head signed");
}

function logFieldsOf({ organizationId, seq, hash, signedAt, keyId, signature }: SignedHead) {
  return {
    organizationId,
    seq,
    hash: hash.toString("hex"),
    signedAt,
    keyId,
    // Not "signature": the log hides values of fields with that name.
    ed25519: signature.toString("base64"),
  };
}
