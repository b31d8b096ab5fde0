import type { z } from "zod";
import type { Connection } from "./connector.ts";

/**
 * - `read`: changes nothing anywhere and costs nothing worth asking about.
 * - `write`: changes something that can be changed back.
 * - `destructive`: ends or deletes something, or cannot be undone.
 */
export type OperationRisk = "read" | "write" | "destructive";

/** What operations take and answer: whatever survives JSON. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

export interface OperationOptions {
  readonly signal: AbortSignal;
  /** The same for every attempt of one request: hand it to the vendor where it takes one. */
  readonly idempotencyKey?: string;
  /** For the vendor's own audit log, such as the name of a session in CloudTrail. */
  readonly runId?: string;
}

/** Something that can be done with a connected account. Agents and workflows name it as "connector.name". */
export interface Operation<Input extends z.ZodObject = z.ZodObject> {
  /** snake_case, verb first, stable: "list_pull_requests". */
  readonly name: string;
  /** What it does and answers, for a model that chooses among many. */
  readonly description: string;
  /** Strict, every string and array bounded. It becomes the JSON Schema that agents see. */
  readonly input: Input;
  readonly risk: OperationRisk;
  /** What it touches, as a person would say it ("acme/payments#42"): approvals show it. Pure. */
  target?(input: z.output<Input>): string;
  /** The vendor's permissions it needs ("pull_requests:write"). */
  readonly needs?: readonly string[];
  /** One attempt, with an answer of at most 64 KiB as JSON; the rest behind a page token. Throws ConnectorError. */
  run(connection: Connection, input: z.output<Input>, options: OperationOptions): Promise<Json>;
}

/** Ties the types of `input` and `run` together, and forgets them: a catalogue holds operations of every shape. */
export function defineOperation<Input extends z.ZodObject>(operation: Operation<Input>): Operation {
  // `run` and `target` are only ever called with what this very schema let through.
  return operation;
}
