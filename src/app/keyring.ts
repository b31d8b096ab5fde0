import { hasSigningKey } from "#audit";
import type { Config } from "#config";
import type { Database } from "#database";
import { hasStoredCredentials } from "#integrations";
import { createKeyring, createLocalKeyset, type Keyring, type Log } from "#platform";
import { openKeyProvider } from "./key-provider.ts";

/** Opens the keys that credentials are encrypted with; in local mode the first start makes them. Throws KeyringError. */
export async function openKeyring(
  config: Config["encryption"],
  db: Database,
  log: Log,
): Promise<Keyring> {
  if (config.provider === "file" && config.isGenerated) {
    const { path } = config;
    const hasCiphertext = (await hasStoredCredentials(db)) || (await hasSigningKey(db));
    const isNew = await createLocalKeyset(path, { hasCiphertext });
    if (isNew)
      log.info({ path }, "key file made: keep a copy of it apart from the database's backups");
  }
  return createKeyring({ provider: await openKeyProvider(config) });
}
