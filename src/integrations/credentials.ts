import { AppError, Secret, type Abortable, type Clock, type Ids, type Keyring } from "#platform";
import { withSystem, withTenant, type Database } from "#database";
import {
  findCredentialVersion,
  hasCredentials,
  insertCanary,
  listCredentials,
  listKeysInUse,
  writeCredential,
} from "./store.ts";

/** Writers of one credential that may get in each other's way before we give up. */
const WRITE_ATTEMPTS_MAX = 5;

interface CredentialDeps {
  readonly db: Database;
  readonly keyring: Keyring;
  readonly ids: Ids;
  readonly clock: Clock;
}

interface CredentialOwner {
  readonly organizationId: string;
  readonly integrationId: string;
}

/** Seals each credential under its own data key, bound to its owner, type and version. */
export async function storeCredentials(
  deps: CredentialDeps,
  owner: CredentialOwner,
  credentials: Readonly<Record<string, Secret>>,
  { signal }: Abortable,
): Promise<void> {
  for (const [credentialType, secret] of Object.entries(credentials)) {
    await storeCredential(deps, owner, credentialType, secret, signal);
  }
}

async function storeCredential(
  deps: CredentialDeps,
  owner: CredentialOwner,
  credentialType: string,
  secret: Secret,
  signal: AbortSignal,
): Promise<void> {
  const { organizationId, integrationId } = owner;
  for (let attempt = 0; attempt < WRITE_ATTEMPTS_MAX; attempt += 1) {
    const version =
      (await withTenant(deps.db, organizationId, (tx) =>
        findCredentialVersion(tx, organizationId, integrationId, credentialType),
      )) + 1;
    // The key may live at a remote provider: seal before the transaction, and let the version decide.
    const sealed = await deps.keyring.seal(
      { ...owner, credentialType, version },
      Buffer.from(secret.reveal()),
      { signal },
    );
    const isWritten = await withTenant(deps.db, organizationId, (tx) =>
      writeCredential(tx, organizationId, integrationId, {
        id: deps.ids(),
        credentialType,
        version,
        format: sealed.format,
        kekId: sealed.kekId,
        wrappedDek: Buffer.from(sealed.wrappedDek),
        ciphertext: Buffer.from(sealed.ciphertext),
        at: deps.clock.now(),
      }),
    );
    if (isWritten) return;
  }
  throw new AppError(
    "conflict",
    `The ${credentialType} of integration ${integrationId} is being changed; try again.`,
  );
}

export async function openCredentials(
  deps: CredentialDeps,
  owner: CredentialOwner,
  { signal }: Abortable,
): Promise<Readonly<Record<string, Secret>>> {
  const { organizationId, integrationId } = owner;
  const rows = await withTenant(deps.db, organizationId, (tx) =>
    listCredentials(tx, organizationId, integrationId),
  );
  const opened: Record<string, Secret> = {};
  for (const row of rows) {
    const bytes = await deps.keyring.open(
      { ...owner, credentialType: row.credentialType, version: row.version },
      row,
      { signal },
    );
    opened[row.credentialType] = new Secret(Buffer.from(bytes).toString("utf8"));
  }
  return opened;
}

/**
 * Fails when some stored credential could not be read with the keys at hand, naming the keys. Run
 * before anything else: a service that starts with the wrong key would write what nobody can read.
 */
export async function checkKeys(
  deps: Pick<CredentialDeps, "db" | "keyring">,
  { signal }: Abortable,
): Promise<void> {
  const known = new Set(deps.keyring.knownKeyIds());
  const inUse = await withSystem(deps.db, "check the encryption keys", listKeysInUse);
  const unusable: string[] = [];
  for (const { kekId, canary } of inUse) {
    if (!known.has(kekId)) unusable.push(`${kekId} (missing)`);
    else if (canary && !(await deps.keyring.checkCanary(kekId, canary, { signal }))) {
      unusable.push(`${kekId} (another key under the same id)`);
    }
  }
  if (unusable.length > 0) {
    throw new AppError(
      "conflict",
      `Stored credentials need encryption keys that are not here: ${unusable.join(", ")}. Restore the keyset that wrote them.`,
    );
  }
  const kekId = deps.keyring.primaryKeyId();
  if (inUse.some((key) => key.kekId === kekId && key.canary)) return;
  const sealed = await deps.keyring.sealCanary(kekId, { signal });
  await withSystem(deps.db, "store a key canary", (tx) => insertCanary(tx, kekId, sealed));
}

/** Whether a keyset must exist already: a new one could not read what is stored. */
export function hasStoredCredentials(db: Database): Promise<boolean> {
  return withSystem(db, "look for stored credentials", hasCredentials);
}
