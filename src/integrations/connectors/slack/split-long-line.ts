import { weighUnit } from "./weigh.ts";

/**
 * Cuts one very long line into pieces of at most `weightMax`: behind a sentence, else at a space,
 * else anywhere but inside a surrogate pair. Joined, the pieces are the line.
 */
export function splitLongLine(line: string, weightMax: number): readonly string[] {
  const pieces: string[] = [];
  let start = 0;
  while (start < line.length) {
    const end = findEnd(line, start, weightMax);
    const cut = end === line.length ? end : chooseCut(line, start, end);
    pieces.push(line.slice(start, cut));
    start = cut;
  }
  return pieces;
}

/** The furthest end that keeps the weight; always at least one character on. */
function findEnd(line: string, start: number, weightMax: number): number {
  let weight = 0;
  let end = start;
  while (end < line.length) {
    weight += weighUnit(line.charCodeAt(end));
    if (weight > weightMax) break;
    end += 1;
  }
  if (end < line.length && isPairSplitAt(line, end)) end -= 1;
  return end > start ? end : Math.min(line.length, start + 2);
}

function chooseCut(line: string, start: number, end: number): number {
  const length = end - start;
  const sentence = findLast(line, end, start + Math.floor(length / 2), isBehindSentence);
  if (sentence !== undefined) return sentence;
  const space = findLast(line, end, start + Math.floor(length / 3), isBehindSpace);
  return space ?? end;
}

function findLast(
  line: string,
  from: number,
  downTo: number,
  isCut: (line: string, index: number) => boolean,
): number | undefined {
  for (let index = from; index > downTo; index -= 1) if (isCut(line, index)) return index;
  return undefined;
}

function isBehindSentence(line: string, index: number): boolean {
  const last = line.charAt(index - 1);
  if ("。！？".includes(last)) return true;
  return isBehindSpace(line, index) && ".!?:;".includes(line.charAt(index - 2));
}

function isBehindSpace(line: string, index: number): boolean {
  const last = line.charAt(index - 1);
  return last === " " || last === "\t";
}

function isPairSplitAt(line: string, index: number): boolean {
  const before = line.charCodeAt(index - 1);
  const after = line.charCodeAt(index);
  return before >= 0xd800 && before <= 0xdbff && after >= 0xdc00 && after <= 0xdfff;
}
