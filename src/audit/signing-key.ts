import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from "node:crypto";
import { withSystem, type Database } from "#database";
import type { Abortable, Clock, Ids, Keyring, SealContext } from "#platform";
import { signedBytesOf } from "./chain.ts";
import { SYSTEM_CHAIN_ID, type ChainHead, type SignedHead } from "./model.ts";
import { insertSigningKey, listSigningKeys, type StoredSigningKey } from "./store.ts";

export interface SigningKeyDeps {
  readonly db: Database;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly keyring: Keyring;
}

export interface SigningKey {
  readonly id: string;
  readonly isInUse: boolean;
  readonly publicKey: KeyObject;
  sign(head: ChainHead, signedAt: Date): SignedHead;
}

/**
 * Every key that ever signed. A public key comes out of its sealed private key and never from a
 * column: whoever can write the database but not open the keyring cannot put another key in its place.
 */
export async function openSigningKeys(
  { db, keyring }: Pick<SigningKeyDeps, "db" | "keyring">,
  options: Abortable,
): Promise<ReadonlyMap<string, SigningKey>> {
  const stored = await withSystem(db, "read the audit signing keys", listSigningKeys);
  const keys = await Promise.all(stored.map((record) => openKey(keyring, record, options)));
  return new Map(keys.map((key) => [key.id, key]));
}

/** The key that signs now; the first call of an installation makes it. */
export async function signingKeyInUse(
  deps: SigningKeyDeps,
  options: Abortable,
): Promise<SigningKey> {
  const found = await findKeyInUse(deps, options);
  if (found) return found;
  const id = deps.ids();
  const { privateKey } = generateKeyPairSync("ed25519");
  const secret = privateKey.export({ format: "der", type: "pkcs8" });
  const sealed = await deps.keyring.seal(contextOf(id), secret, options);
  secret.fill(0);
  await withSystem(deps.db, "store the audit signing key", (tx) =>
    insertSigningKey(tx, { id, sealed, at: deps.clock.now() }),
  );
  // Not the key just made: another replica may have been first.
  const made = await findKeyInUse(deps, options);
  if (made) return made;
  throw new Error("The audit signing key was stored but is not there.");
}

async function findKeyInUse(
  deps: SigningKeyDeps,
  options: Abortable,
): Promise<SigningKey | undefined> {
  const stored = await withSystem(deps.db, "read the audit signing keys", listSigningKeys);
  const record = stored.find(({ isInUse }) => isInUse);
  return record && openKey(deps.keyring, record, options);
}

/** Whether a signed head carries the signature of one of these keys. */
export function isSignedBy(keys: ReadonlyMap<string, SigningKey>, head: SignedHead): boolean {
  const key = keys.get(head.keyId);
  return key !== undefined && verify(null, signedBytesOf(head), key.publicKey, head.signature);
}

async function openKey(
  keyring: Keyring,
  record: StoredSigningKey,
  options: Abortable,
): Promise<SigningKey> {
  const secret = Buffer.from(await keyring.open(contextOf(record.id), record, options));
  const privateKey = createPrivateKey({ key: secret, format: "der", type: "pkcs8" });
  secret.fill(0);
  return {
    id: record.id,
    isInUse: record.isInUse,
    publicKey: createPublicKey(privateKey),
    sign(head, signedAt) {
      const signature = sign(null, signedBytesOf({ ...head, signedAt }), privateKey);
      return { ...head, signedAt, keyId: record.id, signature };
    },
  };
}

/** The keyring binds a record to its place; this one belongs to no organization and no integration. */
function contextOf(id: string): SealContext {
  return {
    organizationId: SYSTEM_CHAIN_ID,
    integrationId: id,
    credentialType: "audit_signing_key",
    version: 1,
  };
}
