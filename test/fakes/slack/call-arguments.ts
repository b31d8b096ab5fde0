import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";

import { isObject } from "./json.ts";
import type { JsonObject } from "./model.ts";
import { invalid } from "./refusal.ts";

/** Reads JSON or form fields. What cannot be read is an empty object, as Slack treats it. */
export function parseBody(contentType: string | undefined, body: string): JsonObject {
  if (contentType?.startsWith("application/json")) {
    try {
      const parsed: unknown = JSON.parse(body);
      return isObject(parsed) ? parsed : {};
    } catch {
      return {};
    }
  }
  return Object.fromEntries(new URLSearchParams(body));
}

export async function readBody(request: IncomingMessage): Promise<string> {
  return text(request);
}

/** Arguments of one call, which arrive as strings (form) or as values (JSON). */
export class CallArguments {
  readonly raw: JsonObject;

  constructor(raw: JsonObject) {
    this.raw = raw;
  }

  has(name: string): boolean {
    const value = this.raw[name];
    return value !== undefined && value !== null && value !== "";
  }

  text(name: string): string | undefined {
    const value = this.raw[name];
    if (value === undefined || value === null || value === "") return undefined;
    return typeof value === "string" ? value : JSON.stringify(value);
  }

  required(name: string): string {
    const value = this.text(name);
    if (value === undefined) throw invalid("invalid_arguments", `missing required field: ${name}`);
    return value;
  }

  flag(name: string): boolean {
    return this.raw[name] === true || this.raw[name] === "true" || this.raw[name] === "1";
  }

  count(name: string, standard: number): number {
    const value = this.text(name);
    if (value === undefined) return standard;
    const count = Number(value);
    if (!Number.isInteger(count) || count < 1) throw invalid("invalid_limit", `bad ${name}`);
    return count;
  }

  /** A value that the form carries as JSON. */
  json(name: string, otherwise: string): unknown {
    const value = this.raw[name];
    if (value === "" || value === null) return undefined;
    if (typeof value !== "string") return value;
    try {
      return JSON.parse(value) as unknown;
    } catch {
      throw invalid(otherwise, `${name} is not JSON`);
    }
  }
}
