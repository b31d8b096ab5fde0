import { arrayIn, cutText, isRecord, textIn, type UntrustedRecord } from "@infragpt/connector-kit";
import { collectAttachmentText, collectBlockText } from "./block-text.ts";

/** Slack cuts a message there: https://docs.slack.dev/reference/methods/chat.postMessage (2026-11). */
export const MESSAGE_CHARACTERS_MAX = 40_000;

/**
 * The readable text of a message. A bot's message often has no text, only blocks and attachments;
 * a person's attachments are mere previews of links and are left out when there is text.
 */
export function readMessageText(message: UntrustedRecord, botId: string | undefined): string {
  const raw = cutText(textIn(message, "text") ?? "", MESSAGE_CHARACTERS_MAX);
  const text = raw.trim() === "" ? collectBlockText(arrayIn(message, "blocks")) : raw;
  const isFromBot = textIn(message, "bot_id") !== undefined;
  const attached =
    text === "" || isFromBot ? collectAttachmentText(arrayIn(message, "attachments")) : "";
  const parts = attached === "" || text.includes(attached) ? [text] : [text, attached];
  const readable = decodeText(parts.filter(Boolean).join("\n"), botId);
  return cutText(readable || listFileNames(message), MESSAGE_CHARACTERS_MAX);
}

/** Whether our bot is mentioned in Slack's own markup. */
export function mentions(message: UntrustedRecord, botId: string | undefined): boolean {
  if (botId === undefined) return false;
  const text = textIn(message, "text") ?? collectBlockText(arrayIn(message, "blocks"));
  return text.includes(`<@${botId}>`) || text.includes(`<@${botId}|`);
}

/** Undoes Slack's markup and escapes, and takes the mention of our own bot away. */
function decodeText(markup: string, botId: string | undefined): string {
  const withoutUs = botId === undefined ? markup : removeMention(markup, botId);
  return withoutUs
    .replace(/<([^<>\n]{1,4000})>/g, (token, inner: string) => readToken(token, inner))
    .replace(/&(amp|lt|gt);/g, (_, name: "amp" | "lt" | "gt") => ESCAPES[name])
    .trim();
}

const ESCAPES = { amp: "&", lt: "<", gt: ">" } as const;

function removeMention(markup: string, botId: string): string {
  const id = botId.replace(/[^A-Za-z0-9]/g, "");
  if (id === "") return markup;
  const mention = `<@${id}(?:\\|[^<>\\n]{0,255})?>`;
  return markup
    .replace(new RegExp(`^\\s{0,100}${mention}[:,]?`), "")
    .replace(new RegExp(`[ \\t]?${mention}`, "g"), "");
}

function readToken(token: string, inner: string): string {
  const bar = inner.indexOf("|");
  const target = bar === -1 ? inner : inner.slice(0, bar);
  const label = bar === -1 ? "" : inner.slice(bar + 1);
  if (target.startsWith("@")) return label ? `@${label.replace(/^@/, "")}` : token;
  if (target.startsWith("#")) return label ? `#${label}` : token;
  if (target.startsWith("!")) return readSpecial(target, label);
  if (!label || label === target || target.endsWith(`://${label}`)) return target;
  return target === `mailto:${label}` ? label : `${label} (${target})`;
}

function readSpecial(target: string, label: string): string {
  if (label) return label;
  const name = target.slice(1).split("^", 1)[0] ?? "";
  return `@${name}`;
}

const FILES_MAX = 10;

function listFileNames(message: UntrustedRecord): string {
  const names = arrayIn(message, "files")
    .slice(0, FILES_MAX)
    .map((file) => (isRecord(file) ? (textIn(file, "name") ?? textIn(file, "title")) : undefined))
    .filter((name) => name !== undefined);
  return names.map((name) => `[file: ${cutText(name, 200)}]`).join("\n");
}
