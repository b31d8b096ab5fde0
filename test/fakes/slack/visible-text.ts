import { isObject } from "./json.ts";
import type { JsonObject } from "./model.ts";

interface Written {
  readonly text: string;
  readonly blocks?: readonly JsonObject[];
}

/** Text as people read it: the blocks' where there are any, else `text`. */
export function visibleText({ text, blocks }: Written): string {
  if (!blocks?.length) return text;
  return blocks.map((block) => blockText(block)).join("\n");
}

function blockText(value: unknown): string {
  if (Array.isArray(value)) return value.map((item) => blockText(item)).join("");
  if (!isObject(value)) return "";
  if (typeof value["text"] === "string") return value["text"];
  return ["text", "title", "fields", "elements"].map((key) => blockText(value[key])).join("");
}

const MENTION = /<(!(?:channel|here|everyone)|!subteam\^\w+|@[UW]\w+)(?:\|[^>]*)?>/g;

/**
 * Whom a message notifies. Careful rather than exact: an unescaped mention counts wherever it stands, in the fallback
 * text and inside code too; only plain text and the literal text of rich text are safe by their kind.
 */
export function whomItNotifies({ text, blocks }: Written): readonly string[] {
  const found = new Set<string>();
  collect(text, found);
  collectFromBlocks(blocks ?? [], found);
  return [...found];
}

function collect(text: string, found: Set<string>): void {
  for (const [, mention = ""] of text.matchAll(MENTION)) found.add(mention.replace(/^@/, ""));
}

function collectFromBlocks(value: unknown, found: Set<string>): void {
  if (Array.isArray(value)) {
    for (const item of value) collectFromBlocks(item, found);
    return;
  }
  if (!isObject(value)) return;
  const kind = value["type"];
  if (kind === "broadcast") found.add(`!${String(value["range"])}`);
  if (kind === "user") found.add(String(value["user_id"]));
  if (kind === "usergroup") found.add(`!subteam^${String(value["usergroup_id"])}`);
  const isMarkup = kind === "mrkdwn" || kind === "markdown";
  if (isMarkup && typeof value["text"] === "string") collect(value["text"], found);
  for (const inner of Object.values(value)) collectFromBlocks(inner, found);
}
