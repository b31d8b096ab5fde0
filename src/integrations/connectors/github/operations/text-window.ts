import { ConnectorError, type Json } from "@infragpt/connector-kit";
import { z } from "zod";

/** As JSON in UTF-8 it fits an answer of 64 KiB in every script. */
const WINDOW = { characters: 30_000, bytes: 60_000 };
/** A window ends where a line does, if one ends so near: half of a colour's code would be read as text. */
const NEAR_CHARACTERS = 2_000;
/** A window that was counted backwards is surely read forwards again up to where it ended. */
const WINDOW_BEFORE = {
  characters: WINDOW.characters - NEAR_CHARACTERS,
  bytes: WINDOW.bytes - 4 * NEAR_CHARACTERS,
};

export const Offset = z
  .number()
  .int()
  .min(0)
  .max(100_000_000)
  .optional()
  .describe("where to begin, in characters: next_offset or previous_offset of an answer before");

/**
 * A part of a long text. Without an offset a log is shown from where it ends, because that is where
 * it says what went wrong, and everything else from its beginning. Windows that follow each other
 * lose nothing: none begins or ends inside a surrogate pair. Only what is shown is cleaned: logs
 * have 20 MB, and all of one would hold up everybody for a second.
 */
export function windowOf(
  text: string,
  { offset, isEndFirst = false }: { offset: number | undefined; isEndFirst?: boolean },
): Json {
  const asked = offset ?? (isEndFirst ? beginningBefore(text, text.length) : 0);
  const first = beginningOfPair(text, Math.min(asked, text.length));
  const last = endAfter(text, first);
  return {
    text: readable(text.slice(first, last)),
    offset: first,
    total_characters: text.length,
    ...(first > 0 && { previous_offset: beginningBefore(text, first) }),
    ...(last < text.length && { next_offset: last }),
  };
}

/** Octokit's types say JSON for media types that are text, and it leaves bytes of no known kind alone. */
export function textOf(data: unknown, what: string): string {
  const text = data instanceof ArrayBuffer ? new TextDecoder().decode(data) : data;
  // No text has a NUL: it is a picture or a program.
  if (typeof text === "string" && !text.includes("\0")) return text;
  throw new ConnectorError("rejected", `GitHub's answer is not ${what}`);
}

/**
 * Colours, titles and other commands to a terminal (ECMA-48), each of bounded length. Not
 * node:util's stripVTControlCharacters: it takes minutes for a text of beginnings without an end.
 */
const TERMINAL = new RegExp(
  [
    String.raw`(?:\u001b\[|\u009b)[0-?]{0,100}[ -/]{0,10}[@-~]`,
    String.raw`\u001b\][^\u0007\u001b\n]{0,500}(?:\u0007|\u001b\\)`,
    String.raw`\u001b[ -/]{0,10}[0-Z\\^-~]`,
  ].join("|"),
  "g",
);

/** Control characters say nothing to a reader, and cost six characters each. */
export function readable(text: string): string {
  return text
    .replaceAll(TERMINAL, "")
    .replaceAll(/\r\n?/g, "\n")
    .replaceAll(/(?![\n\t])\p{Cc}/gu, "")
    .toWellFormed();
}

function beginningOfPair(text: string, index: number): number {
  return isLowSurrogate(text.charCodeAt(index)) ? index - 1 : index;
}

function endAfter(text: string, first: number): number {
  let last = first;
  for (let bytes = 0; last < text.length;) {
    const code = text.codePointAt(last) ?? 0;
    const next = last + (code > 0xffff ? 2 : 1);
    bytes += jsonBytes(code);
    if (bytes > WINDOW.bytes || next - first > WINDOW.characters) break;
    last = next;
  }
  if (last === text.length) return last;
  const near = Math.max(first, last - NEAR_CHARACTERS);
  const lineEnd = text.slice(near, last).lastIndexOf("\n");
  return lineEnd < 0 ? last : near + lineEnd + 1;
}

/** Where the window begins that reaches up to `last`. */
function beginningBefore(text: string, last: number): number {
  let first = last;
  for (let bytes = 0; first > 0;) {
    const next = first - (isLowSurrogate(text.charCodeAt(first - 1)) ? 2 : 1);
    bytes += jsonBytes(text.codePointAt(next) ?? 0);
    if (bytes > WINDOW_BEFORE.bytes || last - next > WINDOW_BEFORE.characters) break;
    first = next;
  }
  if (first === 0) return first;
  const lineEnd = text.slice(first, Math.min(last - 1, first + NEAR_CHARACTERS)).indexOf("\n");
  return first + lineEnd + 1;
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}

const ESCAPED = new Set(['"', "\\", "\n", "\t"].map((character) => character.charCodeAt(0)));

function jsonBytes(code: number): number {
  if (code < 0x80) return ESCAPED.has(code) ? 2 : 1;
  if (code < 0x800) return 2;
  return code < 0x10000 ? 3 : 4;
}
