import { readSplitLines, type CutRank, type SplitLine } from "./split-lines.ts";
import { weigh } from "./weigh.ts";

/**
 * Slack takes 12,000 characters in a markdown block and about 13,200 in all blocks with their JSON
 * (slackapi/bolt-js#2509). What is weighed is the JSON, so both hold with room to spare.
 */
export const PART_WEIGHT_MAX = 11_500;

/** The fence or table header that a part is opened with, and the fence it is closed with. */
const FRAME_WEIGHT_MAX = 2_500;

/** One part. The bodies of all parts, joined, are the Markdown; the rest is what a cut added. */
export interface MarkdownPart {
  readonly opening: string;
  readonly body: string;
  readonly closing: string;
}

/**
 * Cuts Markdown into parts that Slack takes whole, at headings, else between blocks, else between
 * lines, else inside code or a line. Blank Markdown has no parts.
 */
export function splitMarkdown(markdown: string): readonly string[] {
  return cutMarkdown(markdown)
    .filter(({ body }) => body.trim() !== "")
    .map(({ opening, body, closing }) => opening + body + closing);
}

export function cutMarkdown(markdown: string): readonly MarkdownPart[] {
  const lines = readSplitLines(markdown, PART_WEIGHT_MAX - FRAME_WEIGHT_MAX);
  const parts: MarkdownPart[] = [];
  let start = 0;
  while (start < lines.length) {
    const opening = openingOf(lines[start]);
    const end = findEnd(lines, start, weigh(opening));
    const body = lines
      .slice(start, end)
      .map((line) => line.text)
      .join("");
    parts.push({ opening, body, closing: closingOf(lines[end], body) });
    start = end;
  }
  return parts;
}

function openingOf(line: SplitLine | undefined): string {
  return line?.fence?.reopening ?? line?.tableHeader ?? "";
}

/** What must follow the body when the next part starts with this line. */
function closingOf(next: SplitLine | undefined, body: string): string {
  if (next?.fence === undefined) return "";
  return (body.endsWith("\n") ? "" : "\n") + next.fence.closing;
}

/** The line before which this part ends. */
function findEnd(lines: readonly SplitLine[], start: number, openingWeight: number): number {
  const room = PART_WEIGHT_MAX - openingWeight;
  const fills: number[] = [];
  let used = 0;
  let end = start;
  for (; end < lines.length; end += 1) {
    used += lines[end]?.weight ?? 0;
    const closing = lines[end + 1]?.fence?.closing ?? "";
    if (end > start && used + weigh(closing) + 2 > room) break;
    fills.push(used);
  }
  return end === lines.length ? end : chooseCut(lines, start, fills);
}

/** How full a part must be for a cut of this rank, so that a heading does not make a tiny part. */
const FILL_MIN: readonly (readonly [CutRank, number])[] = [
  ["heading", 0.5],
  ["block", 0.4],
  ["line", 0.2],
  ["code", 0.1],
  ["inside", 0],
];

function chooseCut(lines: readonly SplitLine[], start: number, fills: readonly number[]): number {
  for (const [rank, fillMin] of FILL_MIN) {
    for (let count = fills.length; count > 0; count -= 1) {
      const isFullEnough = (fills[count - 1] ?? 0) >= fillMin * PART_WEIGHT_MAX;
      if (isFullEnough && lines[start + count]?.rank === rank) return start + count;
    }
  }
  return start + fills.length;
}
