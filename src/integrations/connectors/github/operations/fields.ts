import { z } from "zod";

/** "acme/payments". Logins of managed users hold an underscore. */
export const Repository = z
  .string()
  .max(140)
  .regex(/^[A-Za-z0-9_-]{1,39}\/[A-Za-z0-9._-]{1,100}$/, "must be owner/name")
  .refine(hasNoDots, "must be owner/name")
  .describe("owner/name, such as acme/payments");

export const Page = z
  .number()
  .int()
  .min(1)
  .max(1_000)
  .default(1)
  .describe("next_page of the answer before");

/** A branch, a tag or a commit. What git forbids in names would lead to another address. */
export const Ref = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[^\s~^:?*[\\\p{Cc}]+$/u, "must be a branch, a tag or a commit")
  .refine(
    (ref) => hasNoDots(ref) && !ref.includes("..") && !ref.startsWith("/"),
    "must be a branch, a tag or a commit",
  );

/** Of a file or a directory. */
export const Path = aLine(500).refine(hasNoDots, "must be a path without . and ..");

export const IssueNumber = z.number().int().min(1).max(2_000_000_000);
/** Of a run, a job or a deployment: they outgrow 32 bits. */
export const Id = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER);
export const Title = aLine(256);
/** GitHub takes 65,536 characters. */
export const Body = z
  .string()
  .max(60_000)
  .refine((text) => !text.includes("\0"), "must be text");

/** Something written in one line. */
export function aLine(charactersMax: number): z.ZodString {
  return z
    .string()
    .trim()
    .min(1)
    .max(charactersMax)
    .regex(/^\P{Cc}*$/u, "must be one line of text");
}

/** URL parsers take these parts of a path for steps. */
function hasNoDots(path: string): boolean {
  return path.split("/").every((part) => part !== "." && part !== "..");
}
