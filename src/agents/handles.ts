/**
 * How well an agent's `handles` fit a message: 0 for an agent that takes everything, more for a
 * longer match, undefined when it does not fit. Whole words, whatever their case.
 */
export function fitOf(handles: readonly string[], text: string): number | undefined {
  const words = ` ${wordsOf(text)} `;
  let fit = handles.length === 0 || handles.includes("*") ? 0 : undefined;
  for (const handle of handles) {
    const phrase = wordsOf(handle);
    if (phrase === "" || !words.includes(` ${phrase} `)) continue;
    fit = Math.max(fit ?? 0, phrase.length);
  }
  return fit;
}

/** Lower case, one space between words, nothing else: "CI/CD?" and "ci cd" are the same. */
function wordsOf(text: string): string {
  return text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}
