import { createLearnedValues } from "./learned-values.ts";
import { encodingsOf } from "./secret-encodings.ts";

const HIDDEN = "[secret]";

/** Takes secrets out of text on its way to people: the log, errors, chat. */
export interface Scrubber {
  /** Remembers an exact value, and its JSON, URL, base64 and hex forms. Values under 6 characters are ignored. */
  learn(value: string): void;
  /** Replaces every known secret and everything that looks like one with `[secret]`. JSON stays JSON. */
  scrub(text: string): string;
}

/** Shorter values would blank out ordinary words. */
const CHARS_MIN = 6;

export function createScrubber(): Scrubber {
  const learned = createLearnedValues(HIDDEN);
  return {
    learn(value): void {
      const trimmed = value.trim();
      if (trimmed.length < CHARS_MIN) return;
      for (const form of encodingsOf(trimmed)) learned.add(form);
    },
    scrub(text): string {
      let scrubbed = learned.replace(text);
      for (const { pattern, replacement } of SHAPES) {
        scrubbed = scrubbed.replace(pattern, replacement);
      }
      return scrubbed;
    },
  };
}

interface Shape {
  readonly pattern: RegExp;
  readonly replacement: string;
}

/** How names of fields end whose value is a secret, whatever it looks like: `bot_token`, `clientSecret`. */
const NAMES =
  "(?:password|passwd|secret|token|api_?key|private_?key|authorization|cookie|signature)";

// No pattern may eat a quote or the backslash before one: the line stays JSON, also inside strings.
const SHAPES: readonly Shape[] = [
  {
    // Up to its end, or, cut off, to the end of the string it stands in.
    pattern:
      /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----(?:(?!-----END)(?:[^"\\]|\\(?!")))*(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----)?/g,
    replacement: HIDDEN,
  },
  {
    // A field of JSON by its name; then the same within JSON that is itself a string.
    pattern: new RegExp(`(${NAMES}"\\s*:\\s*")(?:[^"\\\\]|\\\\.)+(?=")`, "gi"),
    replacement: `$1${HIDDEN}`,
  },
  {
    pattern: new RegExp(
      `(${NAMES}\\\\"\\s*:\\s*\\\\")(?:[^"\\\\]|\\\\\\\\(?:\\\\["\\\\]|[^"\\\\]))+(?=\\\\")`,
      "gi",
    ),
    replacement: `$1${HIDDEN}`,
  },
  {
    // user:password@ of a URL.
    pattern: /(:\/\/)[^\s/?#"\\@]*:[^\s/?#"\\]*@/g,
    replacement: `$1${HIDDEN}@`,
  },
  {
    pattern:
      /([?&](?:access_token|refresh_token|id_token|token|code|state|key|api_key|apikey|secret|client_secret|password|signature|sig|x-amz-[a-z-]+)=)[^&\s"#\\]+/gi,
    replacement: `$1${HIDDEN}`,
  },
  { pattern: /(bearer\s+)[\w.~+/=-]{6,}/gi, replacement: `$1${HIDDEN}` },
  { pattern: /([Bb]asic\s+)(?=[\w+/-]*[A-Z0-9=])[\w+/=-]{8,}/g, replacement: `$1${HIDDEN}` },
  {
    // Whoever has one of these addresses may post there.
    pattern: /(hooks\.slack(?:-gov)?\.com\/)[\w/%.-]+/g,
    replacement: `$1${HIDDEN}`,
  },
  {
    // Tokens that their vendors made recognisable: Slack, GitHub, Clerk and Stripe, AWS, Google, JWT,
    // ours. None asks for a word boundary before it: a line feed in JSON is `\n`, which ends in a letter.
    pattern:
      /xox[a-z](?:\.xox[a-z])?-[\w.-]{4,}|xapp-[\w-]{4,}|xoxe\.[\w.-]{4,}|gh[opsru]_\w{8,}|github_pat_\w{8,}|glpat-[\w-]{8,}|(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])|AIza[\w-]{35}|ya29\.[\w.-]{8,}|whsec_[\w+/=-]{4,}|sk_(?:live|test)_\w{4,}|sk-[\w-]{16,}|eyJ[\w-]{6,4000}\.[\w-]{4,}(?:\.[\w-]*)?|igpt_\w{4,}/g,
    replacement: HIDDEN,
  },
];
