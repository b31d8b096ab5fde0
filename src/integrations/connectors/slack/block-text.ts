import { arrayIn, isRecord, recordIn, textIn, type UntrustedRecord } from "@infragpt/connector-kit";

const PIECES_MAX = 500;
const CHARACTERS_MAX = 40_000;
const DEPTH_MAX = 8;

/** The text that Block Kit blocks show, one line for each piece. */
export function collectBlockText(blocks: readonly unknown[]): string {
  const sink = new TextSink();
  for (const block of blocks) collectBlock(block, sink, 0);
  return sink.text();
}

/** The text of legacy attachments, which alerts of other bots still use. */
export function collectAttachmentText(attachments: readonly unknown[]): string {
  const sink = new TextSink();
  for (const attachment of attachments) {
    if (sink.isFull || !isRecord(attachment)) continue;
    collectAttachment(attachment, sink);
  }
  return sink.text();
}

function collectAttachment(attachment: UntrustedRecord, sink: TextSink): void {
  const before = sink.pieces;
  for (const key of ["pretext", "title", "text"]) sink.add(textIn(attachment, key));
  for (const field of arrayIn(attachment, "fields")) {
    if (!isRecord(field)) continue;
    sink.add([textIn(field, "title"), textIn(field, "value")].filter(Boolean).join(": "));
  }
  for (const block of arrayIn(attachment, "blocks")) collectBlock(block, sink, 0);
  if (sink.pieces === before) sink.add(textIn(attachment, "fallback"));
}

/**
 * Blocks nest text under a few keys; reading these keys wherever they stand also reads kinds of
 * blocks that Slack adds later.
 */
function collectBlock(node: unknown, sink: TextSink, depth: number): void {
  if (sink.isFull || depth > DEPTH_MAX || !isRecord(node)) return;
  if (isInlineRow(node)) return sink.add(readInlineRow(node));
  const text = node["text"];
  if (typeof text === "string") sink.add(text);
  else collectBlock(text, sink, depth + 1);
  collectBlock(node["title"], sink, depth + 1);
  for (const key of ["fields", "elements", "rows", "blocks"]) {
    for (const child of arrayIn(node, key)) collectBlock(child, sink, depth + 1);
  }
}

const INLINE_ROWS = new Set(["rich_text_section", "rich_text_preformatted", "rich_text_quote"]);

function isInlineRow(node: UntrustedRecord): boolean {
  return typeof node["type"] === "string" && INLINE_ROWS.has(node["type"]);
}

/** Rich text is split into styled runs of one line; they belong together. */
function readInlineRow(row: UntrustedRecord): string {
  return arrayIn(row, "elements")
    .slice(0, PIECES_MAX)
    .map((run) => (isRecord(run) ? readRun(run) : ""))
    .join("");
}

function readRun(run: UntrustedRecord): string {
  switch (run["type"]) {
    case "user":
      return `<@${textIn(run, "user_id") ?? ""}>`;
    case "channel":
      return `<#${textIn(run, "channel_id") ?? ""}>`;
    case "broadcast":
      return `@${textIn(run, "range") ?? ""}`;
    case "emoji":
      return `:${textIn(run, "name") ?? ""}:`;
    case "link": {
      const url = textIn(run, "url") ?? "";
      const label = textIn(run, "text");
      return label && label !== url ? `${label} (${url})` : url;
    }
    default:
      return textIn(run, "text") ?? textIn(recordIn(run, "text"), "text") ?? "";
  }
}

class TextSink {
  readonly #lines: string[] = [];
  #characters = 0;

  get pieces(): number {
    return this.#lines.length;
  }

  get isFull(): boolean {
    return this.#lines.length >= PIECES_MAX || this.#characters >= CHARACTERS_MAX;
  }

  add(text: string | undefined): void {
    const line = text?.trim();
    if (!line || this.isFull) return;
    this.#lines.push(line);
    this.#characters += line.length + 1;
  }

  text(): string {
    return this.#lines.join("\n");
  }
}
