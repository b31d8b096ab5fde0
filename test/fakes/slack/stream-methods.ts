import { findOwnMessage, ownMessage } from "./chat-methods.ts";
import type { CallArguments } from "./call-arguments.ts";
import { isObject } from "./json.ts";
import { type Method, type MethodContext, findWritableRoom, wireMessage } from "./method.ts";
import type { FakeMessage } from "./model.ts";
import { invalid, Refusal } from "./refusal.ts";
import type { Room } from "./state.ts";
import { readBlocks } from "./validate-message.ts";

const scopes = ["chat:write"];
const MARKDOWN_CHARACTERS_MAX = 12_000;
/** Slack ends a stream by itself: https://github.com/slackapi/node-slack-sdk/issues/2702 (2026-11). */
const STREAM_LIFETIME_MS = 5 * 60_000;

export const STREAM_METHODS: Readonly<Record<string, Method>> = {
  "chat.startStream": {
    scopes,
    run(context) {
      const { args } = context;
      const room = findWritableRoom(context);
      args.required("thread_ts");
      if (room.channel.kind !== "im") {
        if (!args.has("recipient_team_id")) throw new Refusal("missing_recipient_team_id");
        if (!args.has("recipient_user_id")) throw new Refusal("missing_recipient_user_id");
      }
      const message = context.state.append(room, {
        ...ownMessage(context, room),
        text: readMarkdown(args),
        streamState: "streaming",
      });
      return { channel: room.channel.id, ts: message.ts };
    },
  },
  "chat.appendStream": {
    scopes,
    run(context) {
      const room = findWritableRoom(context);
      const message = findStream(context, room);
      const added = readMarkdown(context.args);
      if (added === "" && !context.args.has("chunks")) throw new Refusal("no_text");
      context.state.edit(room, message.ts, { text: message.text + added });
      return { channel: room.channel.id, ts: message.ts };
    },
  },
  "chat.stopStream": {
    scopes,
    run(context) {
      const room = findWritableRoom(context);
      const before = findStream(context, room);
      const blocks = readBlocks(context.args) ?? [];
      const text = before.text + readMarkdown(context.args);
      const metadata = context.args.json("metadata", "invalid_metadata_format");
      const message = context.state.edit(room, before.ts, {
        text,
        streamState: "stopped",
        ...(blocks.length > 0 ? { blocks: [{ type: "markdown", text }, ...blocks] } : {}),
        ...(isObject(metadata) ? { metadata } : {}),
      });
      return {
        channel: room.channel.id,
        ts: before.ts,
        message: wireMessage(message, { withMetadata: true }),
      };
    },
  },
};

function findStream(context: MethodContext, room: Room): FakeMessage {
  const message = findOwnMessage(context, room, "message_not_owned_by_app");
  const ageMs = context.now() - Number(message.ts) * 1000;
  if (message.streamState !== "streaming" || ageMs > STREAM_LIFETIME_MS) {
    throw new Refusal("message_not_in_streaming_state");
  }
  return message;
}

/** The text of `markdown_text` and of the text chunks; other chunks show no text. */
function readMarkdown(args: CallArguments): string {
  const chunks = args.json("chunks", "invalid_chunks") ?? [];
  if (!Array.isArray(chunks)) throw invalid("invalid_chunks", "chunks must be a list");
  const texts = chunks.map((chunk: unknown) =>
    isObject(chunk) && chunk["type"] === "markdown_text" ? String(chunk["text"]) : "",
  );
  const text = [args.text("markdown_text") ?? "", ...texts].join("");
  if (text.length > MARKDOWN_CHARACTERS_MAX) throw new Refusal("msg_too_long");
  return text;
}
