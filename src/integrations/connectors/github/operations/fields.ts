import { cutText, type Json } from "@infragpt/connector-kit";
import { z } from "zod";
import { nextPageIn } from "../calls.ts";

/** "acme/payments" */
export const Repository = z
  .string()
  .max(140)
  .regex(/^[A-Za-z0-9-]{1,39}\/[A-Za-z0-9._-]{1,100}$/, "must be owner/name")
  .describe("owner/name, such as acme/payments");

export const Page = z
  .number()
  .int()
  .min(1)
  .max(1_000)
  .default(1)
  .describe("next_page of the answer before");

/** A branch, a tag or a commit. */
export const Ref = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[^\s~^:?*[\\\p{Cc}]+$/u, "must be a branch, a tag or a commit");

export const IssueNumber = z.number().int().min(1).max(2_000_000_000);
/** Of a run, a job or a deployment: they outgrow 32 bits. */
export const Id = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER);
export const Title = z.string().trim().min(1).max(256);
/** GitHub takes 65,536 characters. */
export const Body = z.string().max(60_000);

/** Few enough that each entry may hold a thousand characters. */
export const PAGE_SIZE = 30;

type JsonObject = Readonly<Record<string, Json>>;

/** A page of a list; `next_page` is absent on the last one. */
export function pageOf(
  name: string,
  entries: readonly Json[],
  headers: { readonly link?: string | undefined },
): JsonObject {
  const next = nextPageIn(headers);
  return { [name]: entries, ...(next !== undefined && { next_page: next }) };
}

/** What is absent in an answer is absent in ours, and long text is cut. */
export function entry(
  fields: Readonly<Record<string, Json | undefined>>,
  charactersMax = 300,
): JsonObject {
  const known: Record<string, Json> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined || value === null) continue;
    known[name] = typeof value === "string" ? cutText(value, charactersMax) : value;
  }
  return known;
}
