import type { Config } from "#config";
import {
  awsKmsKeyProvider,
  envKeyProvider,
  fileKeyProvider,
  gcpKmsKeyProvider,
  vaultTransitKeyProvider,
  type KeyProvider,
} from "#platform";

type EncryptionConfig = Config["encryption"];

const PLACE = {
  env: "the environment",
  aws_kms: "AWS KMS",
  gcp_kms: "Google Cloud KMS",
  vault_transit: "Vault",
} as const;

/** The keys that the configuration names. Throws KeyringError where they are missing or unfit. */
export async function openKeyProvider(config: EncryptionConfig): Promise<KeyProvider> {
  const { provider } = config;
  if (provider === "file") return fileKeyProvider({ path: config.path });
  if (provider === "env") return envKeyProvider(config.keyset.reveal());
  if (provider === "aws_kms") return awsKmsKeyProvider(config);
  if (provider === "gcp_kms") return gcpKmsKeyProvider(config);
  const { token } = config;
  return vaultTransitKeyProvider({
    ...config,
    token: "path" in token ? { kind: "file", path: token.path } : { kind: "value", value: token },
  });
}

/** For people: where the keys are. */
export function placeOfKeys(config: EncryptionConfig): string {
  return config.provider === "file" ? config.path : PLACE[config.provider];
}
