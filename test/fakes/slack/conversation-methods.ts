import type { CallArguments } from "./call-arguments.ts";
import {
  type Method,
  type MethodContext,
  findReadableRoom,
  findRoom,
  requireScope,
  wireMessage,
} from "./method.ts";
import type { FakeMessage, JsonObject } from "./model.ts";
import { Refusal } from "./refusal.ts";
import type { Room } from "./state.ts";
import { compareTimestamps } from "./timestamps.ts";

const READ_SCOPES = {
  public: "channels:read",
  private: "groups:read",
  im: "im:read",
  mpim: "mpim:read",
} as const;

export const CONVERSATION_METHODS: Readonly<Record<string, Method>> = {
  "conversations.history": {
    scopes: [],
    run(context) {
      const room = findReadableRoom(context);
      const all = inHistory(room.messages);
      const roots = all.filter(({ ts, thread_ts }) => thread_ts === undefined || thread_ts === ts);
      const newestFirst = within(roots, context.args).toReversed();
      return page(newestFirst, all, context.args, 100);
    },
  },
  "conversations.replies": {
    scopes: [],
    run(context) {
      const room = findReadableRoom(context);
      const ts = context.args.required("ts");
      const asked = room.messages.find((message) => message.ts === ts);
      const rootTs = asked?.thread_ts ?? ts;
      const thread = inHistory(
        room.messages.filter((message) => message.ts === rootTs || message.thread_ts === rootTs),
      );
      if (thread.length === 0) throw new Refusal("thread_not_found");
      const root = thread.filter((message) => message.ts === rootTs);
      const replies = thread.filter((message) => message.ts !== rootTs);
      // The first message always comes, whatever the bounds.
      return page([...root, ...within(replies, context.args)], thread, context.args, 1_000);
    },
  },
  "conversations.info": {
    scopes: [],
    run(context) {
      const room = findRoom(context, context.args.required("channel"));
      requireScope(context, [READ_SCOPES[room.channel.kind]]);
      return { channel: wireChannel(room) };
    },
  },
  "conversations.open": {
    scopes: ["im:write", "mpim:write"],
    run(context) {
      const users = (context.args.text("users") ?? "").split(",").filter(Boolean);
      const [user] = users;
      if (user === undefined) return { channel: findAsked(context) };
      if (users.length > 1) throw new Refusal("fake_slack_opens_one_person_only");
      return { channel: { id: context.state.openDirect(context.workspace, user).channel.id } };
    },
  },
};

function findAsked(context: MethodContext): JsonObject {
  return { id: findRoom(context, context.args.required("channel")).channel.id };
}

function wireChannel({ channel }: Room): JsonObject {
  return {
    id: channel.id,
    name: channel.name ?? channel.id.toLowerCase(),
    is_channel: channel.kind === "public",
    is_group: channel.kind === "private",
    is_im: channel.kind === "im",
    is_mpim: channel.kind === "mpim",
    is_private: channel.kind !== "public",
    is_archived: channel.isArchived ?? false,
    is_member: channel.isMember ?? true,
    ...(channel.user === undefined ? {} : { user: channel.user }),
  };
}

/** What the history shows, oldest first. */
function inHistory(messages: readonly FakeMessage[]): FakeMessage[] {
  return messages
    .filter((message) => !message.deleted && message.ephemeralTo === undefined)
    .toSorted((a, b) => compareTimestamps(a.ts, b.ts));
}

function within(messages: readonly FakeMessage[], args: CallArguments): FakeMessage[] {
  const oldest = args.text("oldest");
  const latest = args.text("latest");
  const edge = args.flag("inclusive") ? 0 : 1;
  return messages.filter(({ ts }) => {
    if (oldest !== undefined && compareTimestamps(ts, oldest) < edge) return false;
    return latest === undefined || compareTimestamps(latest, ts) >= edge;
  });
}

function page(
  messages: readonly FakeMessage[],
  all: readonly FakeMessage[],
  args: CallArguments,
  standard: number,
): JsonObject {
  const limit = Math.min(args.count("limit", standard), 1_000);
  const start = readCursor(args.text("cursor"));
  const shown = messages.slice(start, start + limit);
  const hasMore = start + limit < messages.length;
  const withMetadata = args.flag("include_all_metadata");
  const facts = threadFacts(all);
  return {
    messages: shown.map((message) => ({
      ...wireMessage(message, { withMetadata }),
      ...facts.get(message.ts),
    })),
    has_more: hasMore,
    ...(hasMore ? { response_metadata: { next_cursor: makeCursor(start + limit) } } : {}),
  };
}

/** What the first message of a thread tells of its answers, by its ts. */
function threadFacts(messages: readonly FakeMessage[]): ReadonlyMap<string, JsonObject> {
  const facts = new Map<string, JsonObject>();
  const counts = new Map<string, number>();
  for (const { ts, thread_ts } of messages) {
    if (thread_ts === undefined || thread_ts === ts) continue;
    const reply_count = (counts.get(thread_ts) ?? 0) + 1;
    counts.set(thread_ts, reply_count);
    facts.set(thread_ts, { thread_ts, reply_count, latest_reply: ts });
  }
  return facts;
}

function makeCursor(position: number): string {
  return Buffer.from(`next:${position}`).toString("base64");
}

function readCursor(cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  const [, position] = /^next:(\d+)$/.exec(Buffer.from(cursor, "base64").toString()) ?? [];
  if (position === undefined) throw new Refusal("invalid_cursor");
  return Number(position);
}
