import type { JsonObject } from "./model.ts";

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Without these fields, and without those that are undefined. */
export function omit(object: object, names: readonly string[]): JsonObject {
  const kept = Object.entries(object).filter(([key, value]) => {
    return value !== undefined && !names.includes(key);
  });
  return Object.fromEntries(kept);
}
