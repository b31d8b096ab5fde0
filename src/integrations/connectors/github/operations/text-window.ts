import type { Json } from "@infragpt/connector-kit";
import { z } from "zod";

/** With every character escaped once, this stays below the 64 KiB of an answer. */
const WINDOW_CHARACTERS = 30_000;

export const Offset = z
  .number()
  .int()
  .min(0)
  .max(100_000_000)
  .optional()
  .describe("where to begin, in characters: next_offset of the answer before");

/**
 * A part of a long text. Without an offset a log is shown from where it ends, because that is where
 * it says what went wrong, and everything else from its beginning.
 */
export function windowOf(
  raw: string,
  { offset, isEndFirst = false }: { offset: number | undefined; isEndFirst?: boolean },
): Json {
  const text = plain(raw);
  const first = offset ?? (isEndFirst ? Math.max(0, text.length - WINDOW_CHARACTERS) : 0);
  const last = Math.min(text.length, first + WINDOW_CHARACTERS);
  return {
    text: text.slice(first, last).toWellFormed(),
    offset: first,
    total_characters: text.length,
    ...(last < text.length && { next_offset: last }),
  };
}

/** Colours and other control characters say nothing to a reader, and cost six characters each. */
function plain(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/\u001b\[[0-9;]*[A-Za-z]/g, "").replaceAll(/(?![\n\t])\p{Cc}/gu, "");
}
