// What an agent writes is shown to people and stored: it is validated like user input. Invisible
// characters can hide instructions or reorder what a person reads, so they go.

/** Everything below U+0020 but tab and line feed, and DEL to U+009F. A carriage return goes too, so that CRLF becomes LF. */
// oxlint-disable-next-line no-control-regex -- finding control characters is the purpose.
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/gu;
const LINE_SEPARATOR = /[\u2028\u2029]/gu;

/**
 * Bidi controls, zero-width characters, fillers that render as nothing, interlinear annotations,
 * Unicode tags and the variation selectors that can carry hidden bytes. U+200D and U+FE0F are not
 * in it: emoji need them.
 */
const INVISIBLE = new RegExp(
  "[\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b\\u200c\\u200e\\u200f\\u202a-\\u202e" +
    "\\u2060-\\u206f\\u3164\\ufe00-\\ufe0d\\ufeff\\uffa0\\ufff9-\\ufffb\\u{e0000}-\\u{e0fff}]",
  "gu",
);

/** A zero-width joiner stays only between two parts of one emoji. */
const STRAY_JOINER =
  /(?<!\p{Extended_Pictographic}(?:\ufe0f|\p{Emoji_Modifier})?)\u200d|\u200d(?!\p{Extended_Pictographic})/gu;
/** An emoji or text selector stays only behind a character that has both forms. */
const STRAY_SELECTOR = /(?<![\p{Emoji}\p{Extended_Pictographic}])[\ufe0e\ufe0f]/gu;

/** Markdown of several lines without control or invisible characters. */
export function cleanText(text: string): string {
  return text
    .toWellFormed()
    .replace(LINE_SEPARATOR, "\n")
    .replace(CONTROL, "")
    .replace(INVISIBLE, "")
    .replace(STRAY_JOINER, "")
    .replace(STRAY_SELECTOR, "");
}

/** One line of at most `charactersMax` characters, for titles, names and details. */
export function cleanLine(text: string, charactersMax: number): string {
  // Only the part that can survive is cleaned: a title of megabytes costs nothing.
  const line = cleanText(text.slice(0, charactersMax * 4))
    .replace(/\s+/gu, " ")
    .trim();
  return truncate(line, charactersMax);
}

function truncate(text: string, charactersMax: number): string {
  if (text.length <= charactersMax) return text;
  return `${text
    .slice(0, charactersMax - 1)
    .toWellFormed()
    .replace(/\ufffd$/u, "")}…`;
}
