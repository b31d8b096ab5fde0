import { Secret, type Abortable, type Clock, type Ids, type Keyring } from "#platform";
import { withSystem, type Database } from "#database";
import { hasCredentials, type SealedCredential } from "./store.ts";

interface CredentialDeps {
  readonly db: Database;
  readonly keyring: Keyring;
  readonly ids: Ids;
  readonly clock: Clock;
}

export interface CredentialOwner {
  readonly organizationId: string;
  readonly integrationId: string;
}

/** A sealed credential as the next version of the one before. */
export interface SealedForWriting extends SealedCredential {
  readonly id: string;
}

/** Seals each credential under its own data key, bound to its owner, type and version. */
export async function sealCredentials(
  deps: Pick<CredentialDeps, "keyring" | "ids">,
  owner: CredentialOwner,
  credentials: Readonly<Record<string, Secret>>,
  versions: ReadonlyMap<string, number>,
  options: Abortable,
): Promise<readonly SealedForWriting[]> {
  const sealed: SealedForWriting[] = [];
  for (const [credentialType, secret] of Object.entries(credentials)) {
    const version = (versions.get(credentialType) ?? 0) + 1;
    const context = { ...owner, credentialType, version };
    const record = await deps.keyring.seal(context, Buffer.from(secret.reveal()), options);
    sealed.push({
      id: deps.ids(),
      credentialType,
      version,
      format: record.format,
      kekId: record.kekId,
      wrappedDek: Buffer.from(record.wrappedDek),
      ciphertext: Buffer.from(record.ciphertext),
    });
  }
  return sealed;
}

/** Opens records with the names that their owner gave them. Throws KeyringError for one that was moved or changed. */
export async function openSealed(
  { keyring }: Pick<CredentialDeps, "keyring">,
  owner: CredentialOwner,
  rows: readonly SealedCredential[],
  options: Abortable,
): Promise<Readonly<Record<string, Secret>>> {
  const opened: Record<string, Secret> = {};
  for (const row of rows) {
    const { credentialType, version } = row;
    const bytes = await keyring.open({ ...owner, credentialType, version }, row, options);
    opened[credentialType] = new Secret(Buffer.from(bytes).toString("utf8"));
  }
  return opened;
}

/** Whether a keyset must exist already: a new one could not read what is stored. */
export function hasStoredCredentials(db: Database): Promise<boolean> {
  return withSystem(db, "look for stored credentials", hasCredentials);
}
