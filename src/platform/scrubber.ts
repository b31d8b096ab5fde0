const HIDDEN = "[secret]";
/** Shorter values would blank out ordinary words. */
const LEARNED_CHARS_MIN = 6;

/** Takes secrets out of text on its way to people: the log, errors, chat. */
export interface Scrubber {
  /** Remembers an exact value, and its base64 and URL-encoded forms. Values under 6 characters are ignored. */
  learn(value: string): void;
  /** Replaces every known secret and everything that looks like one with `[secret]`. */
  scrub(text: string): string;
}

// The shapes of security.md 5.5. Each is anchored on a literal prefix, so that a line without
// secrets costs one scan.
const SHAPES: readonly RegExp[] = [
  /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g,
];

export function createScrubber(): Scrubber {
  const learned = new Set<string>();
  return {
    learn(value: string): void {
      if (value.length >= LEARNED_CHARS_MIN) learned.add(value);
    },
    scrub(text: string): string {
      let scrubbed = text;
      for (const value of learned) scrubbed = scrubbed.replaceAll(value, HIDDEN);
      for (const shape of SHAPES) scrubbed = scrubbed.replace(shape, HIDDEN);
      return scrubbed;
    },
  };
}
