import { cutText } from "@infragpt/connector-kit";
import { escapeMarkup, silenceMentions } from "./mentions.ts";

/** Slack advises so much for `text`: https://docs.slack.dev/reference/methods/chat.postMessage (2026-11). */
export const FALLBACK_CHARACTERS_MAX = 4_000;

/** The `text` beside blocks, which notifications and screen readers read. */
export function toFallbackText(markdown: string): string {
  return escapeWithin(silenceMentions(markdown), FALLBACK_CHARACTERS_MAX);
}

/**
 * Slack's older markup, for workspaces that refuse markdown blocks: headings, bold and links are
 * carried over, code is only escaped, everything else reads as it was written.
 */
export function toMrkdwn(markdown: string): string {
  // Every odd piece is a fence or an inline span of code.
  return silenceMentions(markdown)
    .split(/(```[^]{0,20000}?```|`[^`\n]{1,2000}`)/)
    .map((piece, index) => (index % 2 === 1 ? escapeMarkup(piece) : convertProse(piece)))
    .join("");
}

function convertProse(markdown: string): string {
  return escapeMarkup(markdown)
    .replace(/^ {0,3}#{1,6}[ \t]{1,20}([^\n]{1,500})$/gm, (_, title: string) => {
      return `*${title.replace(/\*\*/g, "").replace(/[ \t]{0,20}#{0,20}$/, "")}*`;
    })
    .replace(/\*\*([^*\n]{1,2000})\*\*/g, "*$1*")
    .replace(/\[([^\][\n]{1,500})\]\((https?:\/\/[^\s()|]{1,2000})\)/g, "<$2|$1>");
}

/** Escaping makes text longer, and a cut must not fall into an escape. */
function escapeWithin(text: string, charactersMax: number): string {
  let room = charactersMax;
  let cut = cutText(text, room);
  let escaped = escapeMarkup(cut);
  while (escaped.length > charactersMax) {
    room -= Math.max(1, Math.floor((escaped.length - charactersMax) / 4));
    cut = cutText(text, room);
    escaped = escapeMarkup(cut);
  }
  return escaped;
}
