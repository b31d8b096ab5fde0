import type { Config } from "#config";
import { createKeyring, envKeyProvider, fileKeyProvider, type Keyring } from "#platform";

/** The keys of the configuration, which a command never makes. Throws KeyringError. */
export async function openKeyring(encryption: Config["encryption"]): Promise<Keyring> {
  const provider =
    encryption.provider === "env"
      ? envKeyProvider(encryption.keyset.reveal())
      : await fileKeyProvider({ path: encryption.path });
  return createKeyring({ provider });
}
