import { randomBytes } from "node:crypto";

import { omit } from "./json.ts";
import type { CommandInput, FakeMessage, JsonObject } from "./model.ts";
import type { Room, Workspace } from "./state.ts";

const CHANNEL_TYPES = { public: "channel", private: "group", im: "im", mpim: "mpim" } as const;

/** "Ev0A1B2C…", as Slack's ids look. */
export function makeId(prefix: string): string {
  return prefix + randomBytes(6).toString("hex").toUpperCase();
}

/** What Slack puts around an event. */
export function wrapEvent(
  workspace: Workspace,
  appId: string,
  eventId: string,
  event: JsonObject,
): JsonObject {
  return {
    token: "verification-token",
    team_id: workspace.teamId,
    context_team_id: workspace.teamId,
    context_enterprise_id: workspace.enterpriseId ?? null,
    api_app_id: appId,
    event,
    type: "event_callback",
    event_id: eventId,
    event_time: Math.floor(Number(event["event_ts"] ?? Date.now() / 1000)),
    authorizations: [
      {
        enterprise_id: workspace.enterpriseId ?? null,
        team_id: workspace.teamId,
        user_id: workspace.botUserId,
        is_bot: true,
        is_enterprise_install: false,
      },
    ],
    is_ext_shared_channel: false,
    event_context: `4-${eventId}`,
  };
}

/** The `message` event of a message. */
export function messageEvent(workspace: Workspace, room: Room, message: FakeMessage): JsonObject {
  const { text, ts, user, bot_id, app_id, subtype, thread_ts, blocks } = message;
  const parent = room.messages.find((each) => each.ts === thread_ts && each.ts !== ts);
  const written = {
    user,
    bot_id,
    app_id,
    subtype,
    thread_ts,
    parent_user_id: parent?.user,
    client_msg_id: bot_id === undefined ? crypto.randomUUID() : undefined,
  };
  return {
    type: "message",
    ts,
    text,
    team: workspace.teamId,
    channel: room.channel.id,
    event_ts: ts,
    channel_type: CHANNEL_TYPES[room.channel.kind],
    blocks: blocks ?? [richText(text)],
    ...omit(written, []),
  };
}

/** The `app_mention` event of the same message: no channel type, no parent. */
export function mentionEvent(event: JsonObject): JsonObject {
  return { ...omit(event, ["channel_type", "parent_user_id"]), type: "app_mention" };
}

function richText(text: string): JsonObject {
  const section = { type: "rich_text_section", elements: [{ type: "text", text }] };
  return { type: "rich_text", block_id: makeId(""), elements: [section] };
}

/** Who does something, and where. */
export interface PersonAt {
  readonly workspace: Workspace;
  readonly room: Room;
  readonly userId: string;
  readonly appId: string;
  readonly responseUrl: string;
  readonly triggerId: string;
}

export function commandPayload(at: PersonAt, { command, text = "" }: CommandInput): JsonObject {
  const { channel } = at.room;
  return {
    token: "verification-token",
    team_id: at.workspace.teamId,
    team_domain: at.workspace.teamId.toLowerCase(),
    channel_id: channel.id,
    channel_name: channel.kind === "im" ? "directmessage" : channel.id.toLowerCase(),
    user_id: at.userId,
    user_name: at.userId.toLowerCase(),
    command,
    text,
    api_app_id: at.appId,
    is_enterprise_install: "false",
    response_url: at.responseUrl,
    trigger_id: at.triggerId,
  };
}

export function interactionPayload(at: PersonAt, given: JsonObject): JsonObject {
  return {
    type: "block_actions",
    user: { id: at.userId, username: at.userId.toLowerCase(), team_id: at.workspace.teamId },
    api_app_id: at.appId,
    token: "verification-token",
    trigger_id: at.triggerId,
    team: { id: at.workspace.teamId, domain: at.workspace.teamId.toLowerCase() },
    enterprise: null,
    is_enterprise_install: false,
    channel: { id: at.room.channel.id, name: at.room.channel.id.toLowerCase() },
    response_url: at.responseUrl,
    actions: [],
    ...given,
  };
}
