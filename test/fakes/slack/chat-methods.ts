import { type Method, type MethodContext, findWritableRoom, wireMessage } from "./method.ts";
import type { FakeMessage } from "./model.ts";
import { Refusal } from "./refusal.ts";
import type { Room } from "./state.ts";
import { isTimestamp } from "./timestamps.ts";
import { readContent } from "./validate-message.ts";

const scopes = ["chat:write"];

export const CHAT_METHODS: Readonly<Record<string, Method>> = {
  "chat.postMessage": {
    scopes,
    run(context) {
      const room = findWritableRoom(context);
      const message = context.state.append(room, {
        ...ownMessage(context, room),
        ...readContent(context.args),
      });
      // An answer ends the status of its thread.
      if (message.thread_ts !== undefined) room.statuses.set(message.thread_ts, "");
      return {
        channel: room.channel.id,
        ts: message.ts,
        message: wireMessage(message, { withMetadata: true }),
      };
    },
  },
  "chat.update": {
    scopes,
    run(context) {
      const room = findWritableRoom(context);
      const { ts } = findOwnMessage(context, room, "cant_update_message");
      const message = context.state.edit(room, ts, {
        ...readContent(context.args),
        edited: { user: context.workspace.botUserId, ts: context.state.timestamps.next() },
      });
      return {
        channel: room.channel.id,
        ts,
        text: message.text,
        message: wireMessage(message, { withMetadata: true }),
      };
    },
  },
  "chat.delete": {
    scopes,
    run(context) {
      const room = findWritableRoom(context);
      const { ts } = findOwnMessage(context, room, "cant_delete_message");
      context.state.edit(room, ts, { deleted: true });
      return { channel: room.channel.id, ts };
    },
  },
  "chat.postEphemeral": {
    scopes,
    run(context) {
      const room = findWritableRoom(context);
      const ephemeralTo = context.args.required("user");
      const message = context.state.append(room, {
        ...ownMessage(context, room),
        ...readContent(context.args),
        ephemeralTo,
      });
      return { message_ts: message.ts };
    },
  },
};

/** What every new message of our bot carries. */
export function ownMessage(
  { args, workspace, state, appId }: MethodContext,
  room: Room,
): Pick<FakeMessage, "ts" | "channel" | "user" | "bot_id" | "app_id" | "thread_ts"> {
  const threadTs = args.text("thread_ts");
  // A thread whose first message is missing is accepted: the reply then stands alone.
  if (threadTs !== undefined && !isTimestamp(threadTs)) throw new Refusal("invalid_thread_ts");
  return {
    ts: state.timestamps.next(),
    channel: room.channel.id,
    user: workspace.botUserId,
    bot_id: workspace.botId,
    app_id: appId,
    ...(threadTs === undefined ? {} : { thread_ts: threadTs }),
  };
}

export function findOwnMessage(
  { args, workspace }: MethodContext,
  room: Room,
  otherwise: string,
): FakeMessage {
  const ts = args.required("ts");
  const message = room.messages.findLast((each) => each.ts === ts);
  if (!message || message.deleted || message.ephemeralTo) throw new Refusal("message_not_found");
  if (message.bot_id !== workspace.botId) throw new Refusal(otherwise);
  return message;
}
