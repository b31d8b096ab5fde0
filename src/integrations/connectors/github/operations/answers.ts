import { cutText, type Json } from "@infragpt/connector-kit";
import { nextPageIn } from "../calls.ts";
import { readable } from "./text-window.ts";

export type JsonObject = Readonly<Record<string, Json>>;

/** An answer has 64 KiB; entries together have a little less, because something stands around them. */
export const ENTRIES_BYTES_MAX = 60_000;
/** Of a page of lists. */
export const PAGE_SIZE = 30;
/** An address that is longer is absent: half of one leads nowhere. */
const URL_CHARACTERS_MAX = 500;
/** Shorter texts are left alone: ids and times are. */
const CUT_CHARACTERS_MIN = 20;

/** A page of a list; `next_page` is absent on the last one. */
export function pageOf(
  name: string,
  entries: readonly Json[],
  headers: { readonly link?: string | undefined },
): JsonObject {
  const next = nextPageIn(headers);
  return { [name]: entries, ...(next !== undefined && { next_page: next }) };
}

/**
 * What is absent or empty in GitHub's answer is absent in ours. Long text is cut, the longest first,
 * until the entry fits.
 */
export function entry(
  fields: Readonly<Record<string, Json | undefined>>,
  { charactersMax = 300, bytesMax = ENTRIES_BYTES_MAX / PAGE_SIZE } = {},
): JsonObject {
  const known: Record<string, Json> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined || value === null || value === "") continue;
    const isTooLong = isUrl(name) && lengthOf(value) > URL_CHARACTERS_MAX;
    if (!isTooLong) known[name] = isUrl(name) ? value : cut(value, charactersMax);
  }
  while (bytesOf(known) > bytesMax) {
    const [longest = ""] = Object.keys(known)
      .filter((name) => !isUrl(name))
      .toSorted((one, other) => lengthOf(known[other]) - lengthOf(known[one]));
    const length = lengthOf(known[longest]);
    if (length <= CUT_CHARACTERS_MIN) break;
    known[longest] = cut(known[longest] ?? "", Math.ceil(length / 2));
  }
  return known;
}

/** The first entries that fit. */
export function firstOf(entries: readonly Json[], bytesMax: number): readonly Json[] {
  let left = bytesMax;
  const end = entries.findIndex((each) => (left -= bytesOf(each) + 1) < 0);
  return end < 0 ? entries : entries.slice(0, end);
}

function isUrl(name: string): boolean {
  return name.endsWith("url");
}

/** Of a text, or of the longest one of a list. */
function lengthOf(value: Json | undefined): number {
  if (typeof value === "string") return value.length;
  return Array.isArray(value) ? Math.max(0, ...value.map((each) => lengthOf(each))) : 0;
}

function cut(value: Json, charactersMax: number): Json {
  if (typeof value === "string") {
    // What is cut away need not be read; colours take a few characters more.
    return cutText(readable(cutText(value, 2 * charactersMax)), charactersMax);
  }
  return Array.isArray(value) ? value.map((each: Json) => cut(each, charactersMax)) : value;
}

function bytesOf(value: Json): number {
  return Buffer.byteLength(JSON.stringify(value));
}
