import { cutText } from "@infragpt/connector-kit";

/** A block of fenced code, as far as closing and reopening it needs to know. */
export interface Fence {
  /** The line that opens it again in the next part, with its line break. */
  readonly reopening: string;
  /** The line that closes it at the end of a part, with its line break. */
  readonly closing: string;
  readonly mark: string;
}

/** Longer runs are not Markdown that anyone writes; they would not fit beside a part. */
const OPENING = /^([ \t>]{0,60})((?:[-*+]|\d{1,9}[.)])[ \t]{1,4})?(`{3,100}|~{3,100})([^\r\n]*)/;

const INFO_CHARACTERS_MAX = 200;

/** The fence that this line opens. Indented ones count too: in lists they are indented by any depth. */
export function fenceOf(line: string): Fence | undefined {
  const match = OPENING.exec(line);
  if (match === null) return undefined;
  const [, indent = "", bullet = "", mark = "", info = ""] = match;
  // A backtick fence has no backtick in its info: otherwise it is a span of code.
  if (mark.startsWith("`") && info.includes("`")) return undefined;
  const prefix = indent + " ".repeat(bullet.length);
  return {
    reopening: `${prefix}${mark}${cutText(info, INFO_CHARACTERS_MAX)}\n`,
    closing: `${prefix}${mark}\n`,
    mark,
  };
}

/** Whether this line closes the fence: the same mark, at least as long, and nothing else. */
export function isFenceEnd(line: string, fence: Fence): boolean {
  const text = line.replace(/^[ \t>]{0,60}/, "").trimEnd();
  const character = fence.mark.charAt(0);
  if (text.length < fence.mark.length) return false;
  for (const each of text) if (each !== character) return false;
  return true;
}
