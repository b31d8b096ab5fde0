import type { CallArguments } from "./call-arguments.ts";
import { omit } from "./json.ts";
import type { FakeMessage, JsonObject } from "./model.ts";
import { Refusal } from "./refusal.ts";
import type { Room, SlackState, Workspace } from "./state.ts";

export interface MethodContext {
  readonly state: SlackState;
  readonly workspace: Workspace;
  readonly args: CallArguments;
  readonly appId: string;
  readonly now: () => number;
}

/** A method of the Web API: the fields of its answer, or a Refusal. */
export interface Method {
  /** Any one of them is enough. */
  readonly scopes: readonly string[];
  run(context: MethodContext): JsonObject;
}

export function requireScope({ workspace }: MethodContext, anyOf: readonly string[]): void {
  if (anyOf.length === 0 || anyOf.some((scope) => workspace.scopes.includes(scope))) return;
  throw new Refusal("missing_scope", {
    needed: anyOf.join(","),
    provided: workspace.scopes.join(","),
  });
}

/** A channel that this token may know of. */
export function findRoom({ workspace }: MethodContext, channelId: string): Room {
  const room = workspace.rooms.get(channelId);
  const isHidden = room?.channel.kind !== "public" && room?.channel.isMember === false;
  if (!room || isHidden) throw new Refusal("channel_not_found");
  return room;
}

/** A channel that our bot may write in; a person's id opens the direct messages with them. */
export function findWritableRoom(context: MethodContext): Room {
  const { workspace, args, state } = context;
  const id = args.required("channel");
  const room = /^[UW]/.test(id) ? state.openDirect(workspace, id) : findRoom(context, id);
  if (room.channel.isArchived) throw new Refusal("is_archived");
  const isOpenToAll =
    room.channel.kind === "public" && workspace.scopes.includes("chat:write.public");
  if (room.channel.isMember === false && !isOpenToAll) throw new Refusal("not_in_channel");
  return room;
}

const HISTORY_SCOPES = {
  public: "channels:history",
  private: "groups:history",
  im: "im:history",
  mpim: "mpim:history",
} as const;

/** A channel whose messages our bot may read. */
export function findReadableRoom(context: MethodContext): Room {
  const room = findRoom(context, context.args.required("channel"));
  requireScope(context, [HISTORY_SCOPES[room.channel.kind]]);
  if (room.channel.isMember === false) throw new Refusal("not_in_channel");
  return room;
}

/** Fields of ours that Slack does not show. */
const OWN_FIELDS = ["visibleText", "notifies", "deleted", "ephemeralTo", "streamState", "channel"];

/** A message as the Web API shows it. */
export function wireMessage(message: FakeMessage, options: { withMetadata: boolean }): JsonObject {
  const hidden = options.withMetadata ? OWN_FIELDS : [...OWN_FIELDS, "metadata"];
  return { type: "message", ...omit(message, hidden) };
}
