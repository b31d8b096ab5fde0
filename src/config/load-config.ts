import { dirname } from "node:path";
import type { z } from "zod";
import type { Config } from "./config.ts";
import { isMapping } from "./mapping.ts";
import { prepare } from "./prepare.ts";
import { Problems } from "./problems.ts";
import { findConfigFile, readConfigFile } from "./read-file.ts";
import { resolveConfig } from "./resolve.ts";
import { ConfigFile } from "./schema.ts";

/** Where a configuration comes from. Nothing else is looked at but the files it names. */
export interface ConfigSource {
  /** `--config`; wins over INFRAGPT_CONFIG and ./config.yaml. */
  readonly configPath?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Logs are for people unless `log_format` says otherwise. */
  readonly isTty: boolean;
}

/** Reads and checks the configuration; without a file it is local mode. Throws ConfigError with every problem. */
export function loadConfig(source: ConfigSource): Config {
  const file = findConfigFile(source);
  const raw = file === undefined ? {} : readConfigFile(file);
  const directory = file === undefined ? source.cwd : dirname(file);
  const problems = new Problems();
  const prepared = prepare({ schema: ConfigFile, env: source.env, directory, problems }, raw);
  const sections = parseSections(isMapping(prepared) ? prepared : {}, problems);
  return resolveConfig({ ...source, file, directory, problems }, sections);
}

/**
 * Each top-level key on its own, so that the rules between sections can be checked, and their
 * problems reported, also when some section has problems of its own.
 */
function parseSections(raw: Record<string, unknown>, problems: Problems): Partial<ConfigFile> {
  const sections: Record<string, unknown> = {};
  for (const [key, schema] of Object.entries<z.ZodType>(ConfigFile.shape)) {
    const result = schema.safeParse(raw[key]);
    if (result.success) sections[key] = result.data;
    else {
      for (const issue of result.error.issues) {
        problems.add([key, ...issue.path.map(asPart)], plainMessage(issue));
      }
    }
  }
  return sections;
}

function plainMessage(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_type" && issue.message.endsWith("received undefined")) {
    return "is missing";
  }
  return issue.message.replace(/^Invalid (input|option): /, "").slice(0, 300);
}

function asPart(part: PropertyKey): string | number {
  return typeof part === "number" ? part : String(part);
}
