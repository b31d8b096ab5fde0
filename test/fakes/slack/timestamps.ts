/** Message timestamps: seconds, a dot, six digits; each larger than the one before. */
export class Timestamps {
  readonly #now: () => number;
  #lastMicros = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  next(): string {
    this.#lastMicros = Math.max(Math.round(this.#now() * 1000), this.#lastMicros + 1);
    const digits = String(this.#lastMicros).padStart(7, "0");
    return `${digits.slice(0, -6)}.${digits.slice(-6)}`;
  }
}

export function isTimestamp(text: string): boolean {
  return /^\d{1,12}\.\d{6}$/.test(text);
}

/** Compares as numbers: negative when `a` is older. A bound without digits after the dot is allowed, as in Slack. */
export function compareTimestamps(a: string, b: string): number {
  // Whole timestamps of one length compare as text; the rest is for bounds such as "0".
  if (a.length === b.length && a.length === 17) return a === b ? 0 : a < b ? -1 : 1;
  const [first, second] = [micros(a), micros(b)];
  if (first === second) return 0;
  return first < second ? -1 : 1;
}

function micros(ts: string): bigint {
  const [seconds = "0", fraction = ""] = ts.split(".");
  return BigInt(seconds || "0") * 1_000_000n + BigInt(fraction.padEnd(6, "0").slice(0, 6));
}
