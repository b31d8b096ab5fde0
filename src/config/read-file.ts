import { existsSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { LineCounter, parseDocument } from "yaml";
import { isMapping } from "./mapping.ts";
import { ConfigError } from "./problems.ts";

const FILE_BYTES_MAX = 1024 * 1024;

interface Place {
  readonly configPath?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** The file named by `--config` or `INFRAGPT_CONFIG`, else ./config.yaml if it is there. */
export function findConfigFile({ configPath, env, cwd }: Place): string | undefined {
  const named = configPath ?? env["INFRAGPT_CONFIG"];
  if (named !== undefined && named !== "") return resolve(cwd, named);
  const usual = join(cwd, "config.yaml");
  return existsSync(usual) ? usual : undefined;
}

/** The file as plain data; an empty file is an empty mapping. Throws ConfigError and never shows a line of it. */
export function readConfigFile(path: string): Readonly<Record<string, unknown>> {
  const lineCounter = new LineCounter();
  // prettyErrors would copy the line at fault, and a secret with it, into the message.
  const document = parseDocument(readText(path), { lineCounter, prettyErrors: false });
  const problems = document.errors.map(({ code, pos }) => {
    const { line, col } = lineCounter.linePos(pos[0]);
    return { path: `${path}:${line}:${col}`, message: `is not valid YAML here (${code})` };
  });
  if (problems.length > 0) throw new ConfigError(problems.slice(0, 20));
  const value = toPlain(path, () => document.toJS({ maxAliasCount: 100 }));
  if (value === null || value === undefined) return {};
  if (isMapping(value)) return value;
  throw new ConfigError([{ path, message: "must hold keys with values, such as `port: 8080`" }]);
}

function readText(path: string): string {
  try {
    if (statSync(path).size > FILE_BYTES_MAX) throw new Error("TOO_LARGE");
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new ConfigError([{ path, message: `cannot be read (${reasonOf(error)})` }]);
  }
}

function toPlain(path: string, convert: () => unknown): unknown {
  try {
    return convert();
  } catch {
    // The message would name the anchor, which may be an unquoted password that begins with "*".
    throw new ConfigError([{ path, message: "has an alias (`*name`) that leads nowhere" }]);
  }
}

/** A file system error as its code, such as ENOENT. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown reason";
  return "code" in error ? String(error.code) : error.message;
}
