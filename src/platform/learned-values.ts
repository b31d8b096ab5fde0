/** Finds many exact strings in a text at once. */
export interface LearnedValues {
  add(value: string): void;
  replace(text: string): string;
}

const PREFIX_CHARS = 6;
/** About 4,000 secrets with their encodings; beyond, the oldest are forgotten. */
const VALUES_MAX = 40_000;

/**
 * A bitmap of the first characters' hashes says for nearly every place of a text that nothing can
 * begin there: 5 µs for a line of 230 characters with 20,000 forms learned.
 */
export function createLearnedValues(replacement: string): LearnedValues {
  const byPrefix = new Map<string, string[]>();
  const inOrder = new Set<string>();
  const begins = new Uint8Array(1 << 18);

  function add(value: string): void {
    if (value.length < PREFIX_CHARS || inOrder.has(value)) return;
    if (inOrder.size >= VALUES_MAX) forgetOldest();
    inOrder.add(value);
    const prefix = value.slice(0, PREFIX_CHARS);
    // Longest first, so that a secret that begins with another one goes as a whole.
    const values = [...(byPrefix.get(prefix) ?? []), value].toSorted((a, b) => b.length - a.length);
    byPrefix.set(prefix, values);
    begins[hashAt(value, 0)] = 1;
  }

  function forgetOldest(): void {
    const [oldest] = inOrder;
    if (oldest === undefined) return;
    inOrder.delete(oldest);
    const prefix = oldest.slice(0, PREFIX_CHARS);
    const rest = byPrefix.get(prefix)?.filter((value) => value !== oldest) ?? [];
    if (rest.length > 0) byPrefix.set(prefix, rest);
    else byPrefix.delete(prefix);
  }

  function valueAt(text: string, at: number): string | undefined {
    if (begins[hashAt(text, at)] === 0) return undefined;
    const values = byPrefix.get(text.slice(at, at + PREFIX_CHARS));
    return values?.find((value) => text.startsWith(value, at));
  }

  function replace(text: string): string {
    if (inOrder.size === 0) return text;
    let replaced = "";
    let copiedTo = 0;
    for (let at = 0; at <= text.length - PREFIX_CHARS; at += 1) {
      const value = valueAt(text, at);
      if (value === undefined) continue;
      replaced += text.slice(copiedTo, at) + replacement;
      copiedTo = at + value.length;
      at = copiedTo - 1;
    }
    return copiedTo === 0 ? text : replaced + text.slice(copiedTo);
  }

  return { add, replace };
}

function hashAt(text: string, at: number): number {
  return (
    (text.charCodeAt(at) * 131 +
      text.charCodeAt(at + 1) * 1009 +
      text.charCodeAt(at + 2) * 9973 +
      text.charCodeAt(at + 3) * 99_991) &
    0x3ffff
  );
}
