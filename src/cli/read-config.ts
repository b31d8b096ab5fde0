import { loadConfig, type Config } from "#config";
import type { Values } from "./commands.ts";
import type { CliContext } from "./terminal.ts";

/** The configuration a command works with. Throws ConfigError. */
export function readConfig({ env, cwd, terminal }: CliContext, values: Values): Config {
  return loadConfig({ configPath: textOf(values, "config"), env, cwd, isTty: terminal.isTty });
}

/** The value of an option that takes one. */
export function textOf(values: Values, name: string): string | undefined {
  const value = values[name];
  return typeof value === "string" ? value : undefined;
}
