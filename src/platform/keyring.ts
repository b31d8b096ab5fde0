import { createSecretKey, randomBytes } from "node:crypto";
import type { Abortable } from "./abort.ts";
import { lengthPrefixed, openBytes, sealBytes } from "./aead.ts";
import { KeyringError, type KeyProvider, type WrapContext } from "./key-provider.ts";

const FORMAT = 1;
const DEK_BYTES = 32;

/** Where a credential lives. It is sealed in, so that a record put elsewhere does not open. */
export interface SealContext {
  readonly organizationId: string;
  readonly integrationId: string;
  readonly credentialType: string;
  /** One more with each write: an old record put back does not open. */
  readonly version: number;
}

export interface SealedRecord {
  readonly format: number;
  readonly kekId: string;
  readonly wrappedDek: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/**
 * Envelope encryption: each record has its own data key, wrapped by a key of the provider. Both
 * layers are AES-256-GCM and bind the record to its context. Throws KeyringError.
 */
export interface Keyring {
  seal(context: SealContext, plaintext: Uint8Array, options: Abortable): Promise<SealedRecord>;
  open(context: SealContext, record: SealedRecord, options: Abortable): Promise<Uint8Array>;
  /** The same data key under the primary key; the plaintext stays sealed. */
  rewrap(
    context: SealContext,
    record: Pick<SealedRecord, "kekId" | "wrappedDek">,
    options: Abortable,
  ): Promise<Pick<SealedRecord, "kekId" | "wrappedDek">>;
  /** A known value under the primary key: stored, it later shows whether a key is still the same. */
  sealCanary(kekId: string, options: Abortable): Promise<Uint8Array>;
  /** False when the key is not here or is another one under the same id. */
  checkCanary(kekId: string, sealed: Uint8Array, options: Abortable): Promise<boolean>;
  primaryKeyId(): string;
  knownKeyIds(): readonly string[];
  /** Reads the keys again where they can change under a running service; true when they did. */
  reload(): Promise<boolean>;
  /** Where the keys are. */
  readonly providerId: KeyProvider["id"];
}

/** Checks the provider's keys once; throws KeyringError("refused") for keys that cannot be used. */
export async function createKeyring({
  provider,
}: {
  readonly provider: KeyProvider;
}): Promise<Keyring> {
  await provider.check();
  return {
    providerId: provider.id,
    primaryKeyId: () => provider.primaryKeyId(),
    knownKeyIds: () => provider.knownKeyIds(),
    reload: async () => (await provider.reload?.()) ?? false,
    rewrap: (context, record, { signal }) => rewrapRecord(provider, context, record, signal),
    seal: (context, plaintext, { signal }) => sealRecord(provider, context, plaintext, signal),
    open: (context, record, { signal }) => openRecord(provider, context, record, signal),
    sealCanary: (kekId, { signal }) => sealCanary(provider, kekId, signal),
    checkCanary: (kekId, sealed, { signal }) => checkCanary(provider, kekId, sealed, signal),
  };
}

async function sealRecord(
  provider: KeyProvider,
  context: SealContext,
  plaintext: Uint8Array,
  signal: AbortSignal,
): Promise<SealedRecord> {
  const dek = randomBytes(DEK_BYTES);
  try {
    const { kekId, wrapped } = await wrapWithPrimary(
      provider,
      dek,
      (id) => keyAad(context, id),
      signal,
      namedFieldsOf(context),
    );
    const ciphertext = sealBytes(createSecretKey(dek), dataAad(context), plaintext);
    return { format: FORMAT, kekId, wrappedDek: wrapped, ciphertext };
  } finally {
    dek.fill(0);
  }
}

async function openRecord(
  provider: KeyProvider,
  context: SealContext,
  { format, kekId, wrappedDek, ciphertext }: SealedRecord,
  signal: AbortSignal,
): Promise<Uint8Array> {
  if (format !== FORMAT) {
    throw new KeyringError("undecryptable", `Records of format ${format} are not known here.`);
  }
  const dek = await unwrapDek(provider, context, { kekId, wrappedDek }, signal);
  try {
    if (dek.byteLength !== DEK_BYTES) throw new RangeError("The data key has a wrong length.");
    return openBytes(createSecretKey(dek), dataAad(context), ciphertext);
  } catch (error) {
    throw new KeyringError(
      "undecryptable",
      `The ${context.credentialType} of integration ${context.integrationId} does not open: the record is damaged or was moved.`,
      { cause: error },
    );
  } finally {
    dek.fill(0);
  }
}

async function rewrapRecord(
  provider: KeyProvider,
  context: SealContext,
  record: Pick<SealedRecord, "kekId" | "wrappedDek">,
  signal: AbortSignal,
): Promise<Pick<SealedRecord, "kekId" | "wrappedDek">> {
  const dek = await unwrapDek(provider, context, record, signal);
  try {
    const { kekId, wrapped } = await wrapWithPrimary(
      provider,
      dek,
      (id) => keyAad(context, id),
      signal,
      namedFieldsOf(context),
    );
    return { kekId, wrappedDek: wrapped };
  } finally {
    dek.fill(0);
  }
}

function unwrapDek(
  provider: KeyProvider,
  context: SealContext,
  { kekId, wrappedDek }: Pick<SealedRecord, "kekId" | "wrappedDek">,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const aad = keyAad(context, kekId);
  return provider.unwrap(kekId, wrappedDek, aad, signal, namedFieldsOf(context));
}

async function wrapWithPrimary(
  provider: KeyProvider,
  dek: Uint8Array,
  aadOf: (kekId: string) => Uint8Array,
  signal: AbortSignal,
  context: WrapContext,
): Promise<{ readonly kekId: string; readonly wrapped: Uint8Array }> {
  const primary = provider.primaryKeyId();
  const { kekId, wrapped } = await provider.wrap(dek, aadOf(primary), signal, context);
  // The key's id is authenticated: a record under another id than we said would never open.
  if (kekId === primary) return { kekId, wrapped };
  throw new KeyringError("refused", `The provider wrapped with ${kekId} instead of ${primary}.`);
}

const CANARY = Buffer.alloc(DEK_BYTES, "infragpt/canary");
const CANARY_CONTEXT: WrapContext = { purpose: "infragpt/canary/1" };

async function sealCanary(
  provider: KeyProvider,
  kekId: string,
  signal: AbortSignal,
): Promise<Uint8Array> {
  if (kekId !== provider.primaryKeyId()) {
    throw new KeyringError("refused", `Only the primary key gets a canary; ${kekId} is not it.`);
  }
  return (await wrapWithPrimary(provider, CANARY, canaryAad, signal, CANARY_CONTEXT)).wrapped;
}

async function checkCanary(
  provider: KeyProvider,
  kekId: string,
  sealed: Uint8Array,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const opened = await provider.unwrap(kekId, sealed, canaryAad(kekId), signal, CANARY_CONTEXT);
    return CANARY.equals(opened);
  } catch (error) {
    if (error instanceof KeyringError) return false;
    throw error;
  }
}

function keyAad(context: SealContext, kekId: string): Uint8Array {
  return lengthPrefixed("infragpt/cred/1", "dek", kekId, ...fieldsOf(context));
}

function dataAad(context: SealContext): Uint8Array {
  return lengthPrefixed("infragpt/cred/1", "data", ...fieldsOf(context));
}

function canaryAad(kekId: string): Uint8Array {
  return lengthPrefixed("infragpt/canary/1", kekId);
}

/** What a key service writes into its own log of uses: ids only. */
function namedFieldsOf(context: SealContext): WrapContext {
  const [org = "", integration = "", type = "", version = ""] = fieldsOf(context);
  return { purpose: "infragpt/cred/1", org, integration, type, version };
}

function fieldsOf(context: SealContext): readonly string[] {
  const { organizationId, integrationId, credentialType, version } = context;
  return [organizationId, integrationId, credentialType, String(version)];
}
