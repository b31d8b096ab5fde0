import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { z } from "zod";
import { closest } from "./closest.ts";
import { isMapping } from "./mapping.ts";
import type { Path, Problems } from "./problems.ts";
import { reasonOf } from "./read-file.ts";
import { fieldsAt, isSecret } from "./schema-walk.ts";

const SECRET_BYTES_MAX = 65_536;
const VARIABLE = /\$(\$?)\{([^}]*)\}/g;
const VARIABLE_PARTS = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

interface Deps {
  readonly schema: z.ZodType;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Relative `_file` paths start here. */
  readonly directory: string;
  readonly problems: Problems;
}

/**
 * The data of the file with variables from the environment and secret files in place. An empty
 * value is the same as an absent key: `${NAME:-}` switches a part off. Names unknown keys.
 */
export function prepare(deps: Deps, value: unknown, path: Path = []): unknown {
  if (typeof value === "string") return emptyAsAbsent(substitute(deps, value, path));
  if (Array.isArray(value))
    return value.map((item, index) => prepare(deps, item, [...path, index]));
  if (value === null) return undefined;
  return isMapping(value) ? prepareMapping(deps, value, path) : value;
}

function prepareMapping(
  deps: Deps,
  value: Record<string, unknown>,
  path: Path,
): Record<string, unknown> {
  const fields = fieldsAt(deps.schema, path);
  const result: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    if (fields === undefined || Object.hasOwn(fields, key)) {
      result[key] ??= prepare(deps, item, [...path, key]);
      continue;
    }
    const base = key.endsWith("_file") ? key.slice(0, -"_file".length) : "";
    if (isSecret(Object.hasOwn(fields, base) ? fields[base] : undefined)) {
      const content = readSecretFile(deps, prepare(deps, item, [...path, key]), [...path, key]);
      if (content === undefined) continue;
      const sibling = prepare(deps, value[base], [...path, base]);
      if (sibling !== undefined) {
        deps.problems.add([...path, key], `is set beside ${base}: keep one of the two`);
      }
      result[base] = content;
    } else {
      deps.problems.add([...path, key], unknownKey(key, fields));
    }
  }
  return result;
}

function substitute({ env, problems }: Deps, text: string, path: Path): string {
  return text.replaceAll(VARIABLE, (whole, escape: string, inner: string) => {
    if (escape !== "") return whole.slice(1);
    const [, name = "", fallback] = VARIABLE_PARTS.exec(inner) ?? [];
    if (name === "") {
      problems.add(
        path,
        "has `${` without a variable's name; `$${` writes the characters themselves",
      );
      return "";
    }
    const value = env[name];
    if (value === undefined && fallback === undefined) {
      problems.add(path, `the environment variable ${name} is not set`);
    }
    return fallback === undefined ? (value ?? "") : value || fallback;
  });
}

function readSecretFile({ directory, problems }: Deps, file: unknown, path: Path): unknown {
  if (file === undefined) return undefined;
  if (typeof file !== "string") {
    problems.add(path, "must be the path of a file");
    return undefined;
  }
  try {
    const target = resolve(directory, file);
    if (statSync(target).size > SECRET_BYTES_MAX) throw new Error("larger than 64 KiB");
    const content = readFileSync(target, "utf8").replace(/[\r\n]+$/, "");
    if (content !== "") return content;
    problems.add(path, "names an empty file");
  } catch (error) {
    problems.add(path, `names a file that cannot be read (${reasonOf(error)})`);
  }
  return undefined;
}

function unknownKey(key: string, fields: Record<string, z.ZodType>): string {
  const known = Object.keys(fields);
  const files = known.filter((name) => isSecret(fields[name])).map((name) => `${name}_file`);
  const meant = closest(key, [...known, ...files]);
  return meant === undefined ? "is not a known key" : `is not a known key: did you mean ${meant}?`;
}

function emptyAsAbsent(text: string): string | undefined {
  return text === "" ? undefined : text;
}
