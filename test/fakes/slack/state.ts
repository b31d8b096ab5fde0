import { Change } from "../../support/until.ts";
import type { FakeChannel, FakeMessage, FakeWorkspace } from "./model.ts";
import { Refusal } from "./refusal.ts";
import { Timestamps } from "./timestamps.ts";
import { visibleText, whomItNotifies } from "./visible-text.ts";

/** A message as written; what people see of it is worked out. */
export type DraftMessage = Omit<FakeMessage, "visibleText" | "notifies" | "deleted"> & {
  readonly deleted?: boolean;
};

export interface Room {
  channel: FakeChannel & { readonly kind: NonNullable<FakeChannel["kind"]> };
  messages: FakeMessage[];
  /** Thread ts to the status shown. */
  readonly statuses: Map<string, string>;
}

export interface Workspace extends Omit<FakeWorkspace, "scopes"> {
  scopes: readonly string[];
  /** Access tokens that rotation gave out; the workspace's own token stays good beside them. */
  readonly rotatedTokens: Set<string>;
  readonly rooms: Map<string, Room>;
  tokenError: string | undefined;
}

/** The bot scopes of our manifest. */
const SCOPES =
  "app_mentions:read assistant:write channels:history channels:read chat:write commands files:read files:write " +
  "groups:history groups:read im:history im:read im:write mpim:history reactions:write users:read users:read.email";

/** Everything that the fake remembers. */
export class SlackState {
  readonly change = new Change();
  readonly timestamps: Timestamps;
  readonly #workspaces = new Map<string, Workspace>();

  constructor(now: () => number) {
    this.timestamps = new Timestamps(now);
  }

  addWorkspace(given: Partial<FakeWorkspace> & { readonly teamId: string }): Workspace {
    const { teamId } = given;
    const name = teamId.replace(/^T/, "");
    const workspace: Workspace = {
      botUserId: `U0BOT${name}`,
      botId: `B0BOT${name}`,
      botToken: `xoxb-${name.toLowerCase()}-token`,
      ...given,
      scopes: given.scopes ?? SCOPES.split(" "),
      rooms: new Map(),
      rotatedTokens: new Set(),
      tokenError: undefined,
    };
    this.#workspaces.set(teamId, workspace);
    return workspace;
  }

  workspace(teamId: string): Workspace {
    const workspace = this.#workspaces.get(teamId);
    if (!workspace) throw new Error(`the fake Slack has no workspace ${teamId}: addWorkspace`);
    return workspace;
  }

  /** The workspace that a bot token belongs to. */
  authenticate(token: string | undefined): Workspace {
    if (token === undefined) throw new Refusal("not_authed");
    const workspace = [...this.#workspaces.values()].find(
      (each) => each.botToken === token || each.rotatedTokens.has(token),
    );
    if (!workspace) throw new Refusal("invalid_auth");
    if (workspace.tokenError) throw new Refusal(workspace.tokenError);
    return workspace;
  }

  addChannel(teamId: string, channel: FakeChannel): FakeChannel {
    const full = { kind: "public" as const, isMember: true, isArchived: false, ...channel };
    this.workspace(teamId).rooms.set(channel.id, {
      channel: full,
      messages: [],
      statuses: new Map(),
    });
    return full;
  }

  room(teamId: string, channelId: string): Room {
    const room = this.workspace(teamId).rooms.get(channelId);
    if (!room) throw new Error(`workspace ${teamId} has no channel ${channelId}: addChannel`);
    return room;
  }

  /** The direct message channel of a person, opened where it is missing. */
  openDirect(workspace: Workspace, user: string): Room {
    for (const room of workspace.rooms.values()) {
      if (room.channel.kind === "im" && room.channel.user === user) return room;
    }
    const id = `D0${user.replace(/^[UW]/, "")}`;
    this.addChannel(workspace.teamId, { id, kind: "im", user });
    return this.room(workspace.teamId, id);
  }

  append(room: Room, draft: DraftMessage): FakeMessage {
    const message = seen(draft);
    room.messages.push(message);
    this.change.notify();
    return message;
  }

  /** Replaces a message by its ts; returns the new one. */
  edit(room: Room, ts: string, change: Partial<DraftMessage>): FakeMessage {
    const index = room.messages.findLastIndex((message) => message.ts === ts && !message.deleted);
    const before = room.messages[index];
    if (!before) throw new Refusal("message_not_found");
    const after = seen({ ...before, ...change });
    room.messages[index] = after;
    this.change.notify();
    return after;
  }
}

function seen(draft: DraftMessage): FakeMessage {
  return {
    deleted: false,
    ...draft,
    visibleText: visibleText(draft),
    notifies: whomItNotifies(draft),
  };
}
