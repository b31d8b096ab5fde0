import type { Config } from "#config";
import type { IdentityProvider } from "#identity";

/** Clerk wherever it is configured; the local provider only in local mode without it. */
export function identityProvider(config: Config): IdentityProvider {
  const { clerk } = config.identity;
  if (clerk) return { kind: "clerk", clerk };
  return config.mode === "local" ? { kind: "local" } : { kind: "none" };
}
