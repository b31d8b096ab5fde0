import { openKeyProvider } from "#app";
import type { Config } from "#config";
import { createKeyring, type Keyring } from "#platform";

/** The keys of the configuration, which a command never makes. Throws KeyringError. */
export async function openKeyring(encryption: Config["encryption"]): Promise<Keyring> {
  return createKeyring({ provider: await openKeyProvider(encryption) });
}
