import { join, resolve } from "node:path";
import { Secret } from "@infragpt/connector-kit";
import type { Config, EncryptionConfig } from "./config.ts";
import type { Problems } from "./problems.ts";
import { resolveKeyService } from "./resolve-key-service.ts";
import type { ConfigFile } from "./schema.ts";

interface Context {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly directory: string;
  readonly problems: Problems;
}

/** Where the keys come from. Only local mode may generate them. */
export function resolveEncryption(
  { env, directory, problems }: Context,
  { encryption }: Partial<ConfigFile>,
  { home, mode }: Pick<Config, "home" | "mode">,
): EncryptionConfig {
  const path =
    encryption?.path === undefined
      ? join(home, "keys", "keyset.json")
      : resolve(directory, encryption.path);
  const file: EncryptionConfig = { provider: "file", path, isGenerated: mode === "local" };
  const provider = encryption?.provider ?? "file";
  if (provider === "file") return file;
  if (provider !== "env" && encryption !== undefined) {
    return resolveKeyService(directory, problems, provider, encryption) ?? file;
  }
  const fromEnv = env["INFRAGPT_KEYSET"];
  const keyset = encryption?.keyset ?? (fromEnv ? new Secret(fromEnv) : undefined);
  if (keyset !== undefined) return { provider: "env", keyset };
  problems.add(
    ["encryption", "keyset"],
    "is missing: set it, or the environment variable INFRAGPT_KEYSET",
  );
  return file;
}
