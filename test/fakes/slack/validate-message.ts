import type { CallArguments } from "./call-arguments.ts";
import { isObject } from "./json.ts";
import type { JsonObject } from "./model.ts";
import { invalid, Refusal } from "./refusal.ts";

const TEXT_CHARACTERS_MAX = 40_000;
const MARKDOWN_CHARACTERS_MAX = 12_000;
/** Not documented; measured by others at about this size: https://github.com/slackapi/bolt-js/issues/2509 (2026-11). */
const BLOCKS_CHARACTERS_MAX = 13_200;
const BLOCKS_MAX = 50;
const METADATA_CHARACTERS_MAX = 16_000;

/** https://docs.slack.dev/reference/block-kit/blocks (2026-11), without those for modals only. */
const BLOCK_TYPES = new Set(
  (
    "actions card carousel container context context_actions data_table data_visualization divider file header image " +
    "markdown plan rich_text section table task_card video"
  ).split(" "),
);

export interface Content {
  readonly text: string;
  readonly blocks?: readonly JsonObject[];
  readonly metadata?: JsonObject;
}

/** What a message is made of, checked as Slack checks it. */
export function readContent(args: CallArguments): Content {
  const blocks = readBlocks(args);
  const metadata = readMetadata(args);
  const text = args.text("text");
  const markdown = args.text("markdown_text");
  if (markdown !== undefined && (text !== undefined || blocks)) {
    throw new Refusal("markdown_text_conflict");
  }
  if ((markdown?.length ?? 0) > MARKDOWN_CHARACTERS_MAX) throw new Refusal("msg_too_long");
  const written = markdown ?? text;
  if (written === undefined && !blocks?.length && !args.has("attachments")) {
    throw new Refusal("no_text");
  }
  return {
    text: (written ?? "").slice(0, TEXT_CHARACTERS_MAX),
    ...(blocks?.length ? { blocks } : {}),
    ...(metadata ? { metadata } : {}),
  };
}

/** `undefined`: no blocks were given; an empty list takes blocks away. */
export function readBlocks(args: CallArguments): readonly JsonObject[] | undefined {
  const given = args.json("blocks", "invalid_blocks_format");
  if (given === undefined) return undefined;
  if (!Array.isArray(given) || !given.every((block) => isObject(block))) {
    throw invalid("invalid_blocks_format", "blocks must be a list of objects");
  }
  const blocks: readonly JsonObject[] = given;
  if (blocks.length > BLOCKS_MAX) {
    throw invalid(
      "invalid_blocks",
      `no more than ${BLOCKS_MAX} items allowed [json-pointer:/blocks]`,
    );
  }
  const problems = blocks.flatMap((block, index) => problemsOf(block, `/blocks/${index}`));
  const markdown = blocks.reduce((sum, block) => sum + markdownLength(block), 0);
  if (markdown > MARKDOWN_CHARACTERS_MAX) {
    problems.push(
      `must be less than ${MARKDOWN_CHARACTERS_MAX + 1} characters [json-pointer:/blocks]`,
    );
  }
  if (problems.length > 0) throw invalid("invalid_blocks", ...problems);
  if (JSON.stringify(blocks).length > BLOCKS_CHARACTERS_MAX)
    throw new Refusal("msg_blocks_too_long");
  return blocks;
}

function problemsOf(block: JsonObject, pointer: string): string[] {
  const type = String(block["type"]);
  if (!BLOCK_TYPES.has(type)) return [`unsupported type: ${type} [json-pointer:${pointer}/type]`];
  if (type === "markdown") return lengthProblems(block["text"], MARKDOWN_CHARACTERS_MAX, pointer);
  if (type === "header") return objectTextProblems(block["text"], 150, pointer);
  if (type === "section") {
    if (block["fields"] === undefined) return objectTextProblems(block["text"], 3_000, pointer);
    return listProblems(block["fields"], 10, `${pointer}/fields`);
  }
  if (type === "actions") return listProblems(block["elements"], 25, `${pointer}/elements`);
  if (type === "context") return listProblems(block["elements"], 10, `${pointer}/elements`);
  return [];
}

function lengthProblems(text: unknown, charactersMax: number, pointer: string): string[] {
  if (typeof text !== "string") return [`missing required field: text [json-pointer:${pointer}]`];
  if (text.length === 0) return [`must be more than 0 characters [json-pointer:${pointer}/text]`];
  if (text.length <= charactersMax) return [];
  return [`must be less than ${charactersMax + 1} characters [json-pointer:${pointer}/text]`];
}

function objectTextProblems(text: unknown, charactersMax: number, pointer: string): string[] {
  if (!isObject(text)) return [`missing required field: text [json-pointer:${pointer}]`];
  return lengthProblems(text["text"], charactersMax, `${pointer}/text`);
}

function listProblems(items: unknown, itemsMax: number, pointer: string): string[] {
  if (!Array.isArray(items) || items.length === 0)
    return [`missing items [json-pointer:${pointer}]`];
  if (items.length <= itemsMax) return [];
  return [`no more than ${itemsMax} items allowed [json-pointer:${pointer}]`];
}

function markdownLength(block: JsonObject): number {
  return block["type"] === "markdown" ? String(block["text"]).length : 0;
}

function readMetadata(args: CallArguments): JsonObject | undefined {
  const metadata = args.json("metadata", "invalid_metadata_format");
  if (metadata === undefined) return undefined;
  if (!isObject(metadata)) throw new Refusal("invalid_metadata_format");
  if (typeof metadata["event_type"] !== "string" || !isObject(metadata["event_payload"])) {
    throw new Refusal("invalid_metadata_schema");
  }
  if (JSON.stringify(metadata).length > METADATA_CHARACTERS_MAX)
    throw new Refusal("metadata_too_large");
  return metadata;
}
