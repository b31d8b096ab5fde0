import { resolve } from "node:path";
import type { EncryptionConfig } from "./config.ts";
import type { Problems } from "./problems.ts";
import { isLoopback } from "./rules.ts";
import type { ConfigFile } from "./schema.ts";

type Section = NonNullable<ConfigFile["encryption"]>;
type Provider = Exclude<Section["provider"], "file" | "env">;

/** What the id of a key looks like. An alias would do for sealing, but could be pointed elsewhere later. */
const KEY_ID: Readonly<Record<Provider, { readonly form: RegExp; readonly example: string }>> = {
  aws_kms: {
    form: /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+$/,
    example: "the ARN of a key (not of an alias), such as arn:aws:kms:<region>:<account>:key/<id>",
  },
  gcp_kms: {
    form: /^projects\/[\w:.-]+\/locations\/[\w-]+\/keyRings\/[\w-]+\/cryptoKeys\/[\w-]+$/,
    example: "projects/<project>/locations/<place>/keyRings/<ring>/cryptoKeys/<key>",
  },
  vault_transit: {
    form: /^[\w-][\w.-]*(\/[\w-][\w.-]*)+$/,
    example: "<mount>/<key>, such as transit/infragpt",
  },
};

/** A key service's settings; undefined after telling what is wrong with them. */
export function resolveKeyService(
  directory: string,
  problems: Problems,
  provider: Provider,
  section: Section,
): EncryptionConfig | undefined {
  const { form, example } = KEY_ID[provider];
  const { key_id: keyId, decrypt_key_ids: decryptKeyIds, endpoint } = section;
  let isFit = true;
  function refuse(key: string, message: string): void {
    problems.add(["encryption", key], message);
    isFit = false;
  }

  if (keyId === undefined) refuse("key_id", `is missing: ${example}`);
  else if (!form.test(keyId)) refuse("key_id", `must be ${example}`);
  if (!decryptKeyIds.every((id) => form.test(id))) {
    refuse("decrypt_key_ids", `must be a list of ${example}`);
  }
  if (endpoint !== undefined && !isPrivate(endpoint)) {
    refuse("endpoint", "must be https: data keys and tokens travel there");
  }
  if (provider === "vault_transit") {
    if (endpoint === undefined) refuse("endpoint", "is missing: the address of Vault");
    if ((section.token === undefined) === (section.token_path === undefined)) {
      refuse("token", "is missing: set either it, token_file or token_path");
    }
  }
  if (!isFit || keyId === undefined) return undefined;
  const service = { keyId, decryptKeyIds, ...(endpoint === undefined ? {} : { endpoint }) };
  if (provider === "aws_kms") {
    return { ...service, provider, region: section.region ?? keyId.split(":")[3] ?? "" };
  }
  if (provider === "gcp_kms") {
    const { credentials } = section;
    return { ...service, provider, ...(credentials ? { credentials } : {}) };
  }
  return {
    ...service,
    provider,
    endpoint: endpoint ?? "",
    token: section.token ?? { path: resolve(directory, section.token_path ?? "") },
    ...(section.namespace === undefined ? {} : { namespace: section.namespace }),
  };
}

/** Encrypted on its way, or never on the wire. */
function isPrivate(endpoint: string): boolean {
  const { protocol, hostname } = new URL(endpoint);
  return protocol === "https:" || isLoopback(hostname);
}
