import { fenceOf, isFenceEnd, type Fence } from "./fences.ts";
import { splitLongLine } from "./split-long-line.ts";
import { weigh } from "./weigh.ts";

/** How good a place for a cut is; lower is better. */
export type CutRank = "heading" | "block" | "line" | "code" | "inside";

/** One line, or a piece of a very long one, with what a cut before it would mean. */
export interface SplitLine {
  /** With its line break. */
  readonly text: string;
  readonly weight: number;
  /** How good a cut before this line is. */
  readonly rank: CutRank;
  /** The code that a cut before this line falls into. */
  readonly fence?: Fence;
  /** The header of the table that a cut before this line falls into. */
  readonly tableHeader?: string;
}

interface ScanState {
  fence: Fence | undefined;
  /** The last line opened a fence: a cut right behind it would leave an empty block of code. */
  isFenceStart: boolean;
  tableHeader: string | undefined;
  previous: string;
  beforePrevious: string;
}

/** A header heavier than this is not repeated: it would fill the parts. */
const TABLE_HEADER_WEIGHT_MAX = 1_000;

/** Reads Markdown line by line and marks where it may be cut. Joined, the lines are the Markdown. */
export function readSplitLines(markdown: string, lineWeightMax: number): readonly SplitLine[] {
  const state: ScanState = {
    fence: undefined,
    isFenceStart: false,
    tableHeader: undefined,
    previous: "",
    beforePrevious: "",
  };
  return markdown
    .split(/(?<=\n)/)
    .flatMap((line) => splitIfLong(readLine(line, state), lineWeightMax));
}

function readLine(text: string, state: ScanState): SplitLine {
  const line =
    state.fence === undefined ? readProse(text, state) : readCode(text, state.fence, state);
  state.beforePrevious = state.previous;
  state.previous = text;
  return line;
}

function readCode(text: string, fence: Fence, state: ScanState): SplitLine {
  const isEnd = isFenceEnd(text, fence);
  const rank: CutRank = isEnd || state.isFenceStart ? "inside" : "code";
  state.isFenceStart = false;
  if (isEnd) state.fence = undefined;
  return { text, weight: weigh(text), rank, fence };
}

function readProse(text: string, state: ScanState): SplitLine {
  updateTable(text, state);
  const fence = fenceOf(text);
  const rank = rankProse(text, fence !== undefined, state);
  state.fence = fence;
  state.isFenceStart = fence !== undefined;
  const header = state.tableHeader;
  return { text, weight: weigh(text), rank, ...(header && { tableHeader: header }) };
}

function rankProse(text: string, isFenceStart: boolean, state: ScanState): CutRank {
  // A table's header belongs to its first row.
  if (isTableDelimiter(text) || isTableDelimiter(state.previous)) return "inside";
  if (/^ {0,3}#{1,6}[ \t]/.test(text)) return "heading";
  const isBehindBlank = state.previous.trim() === "" && text.trim() !== "";
  return isBehindBlank || isFenceStart ? "block" : "line";
}

function updateTable(text: string, state: ScanState): void {
  const isRow = text.includes("|") && text.trim() !== "";
  if (!isRow) state.tableHeader = undefined;
  const headerLine = state.beforePrevious;
  const isBehindDelimiter = isTableDelimiter(state.previous) && headerLine.includes("|");
  if (!isRow || !isBehindDelimiter) return;
  const header = headerLine + state.previous;
  if (weigh(header) <= TABLE_HEADER_WEIGHT_MAX) state.tableHeader = header;
}

function isTableDelimiter(text: string): boolean {
  const line = text.trim();
  return (
    line.length <= 500 && line.includes("|") && line.includes("-") && /^[|:\- \t]+$/.test(line)
  );
}

function splitIfLong(line: SplitLine, lineWeightMax: number): readonly SplitLine[] {
  if (line.weight <= lineWeightMax) return [line];
  return splitLongLine(line.text, lineWeightMax).map((text, index) => {
    const piece: SplitLine = { ...line, text, weight: weigh(text) };
    // A table's header repeated inside a row would make two rows of it.
    const { tableHeader: _, ...inside } = piece;
    return index === 0 ? piece : { ...inside, rank: "inside" };
  });
}
