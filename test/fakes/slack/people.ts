import type { Carrier } from "./carrier.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { omit } from "./json.ts";
import type {
  CommandInput,
  FakeMessage,
  JsonObject,
  MessageOptions,
  SendOptions,
  SentCommand,
  SentMessage,
  SentPayload,
} from "./model.ts";
import {
  type PersonAt,
  commandPayload,
  interactionPayload,
  makeId,
  mentionEvent,
  messageEvent,
  wrapEvent,
} from "./payloads.ts";
import type { ResponseUrls } from "./response-urls.ts";
import type { Room, SlackState, Workspace } from "./state.ts";

export interface PeopleDeps {
  readonly state: SlackState;
  readonly dispatcher: Dispatcher;
  readonly responseUrls: ResponseUrls;
  readonly appId: string;
  /** "http://127.0.0.1:PORT" */
  readonly origin: string;
}

export function sendEvent(
  { state, dispatcher, appId }: PeopleDeps,
  teamId: string,
  event: JsonObject,
  options: SendOptions = {},
  carrier?: Carrier,
): SentPayload {
  const eventId = options.eventId ?? makeId("Ev");
  const wrapped = wrapEvent(state.workspace(teamId), appId, eventId, event);
  const input = {
    kind: "events_api" as const,
    eventId,
    payload: { ...wrapped, ...options.payload },
    envelope: options.envelope,
    firstAttempt: options.firstAttempt,
  };
  return dispatcher.dispatch(input, carrier);
}

/** A person writes: the message is in the history before the app hears of it. */
export function write(
  { state }: PeopleDeps,
  room: Room,
  userId: string,
  text: string,
  options: MessageOptions = {},
): FakeMessage {
  // Told again of the same message, the channel still shows it once.
  const known = room.messages.findLast((message) => message.ts === options.ts);
  if (known) return known;
  return state.append(room, {
    ts: options.ts ?? state.timestamps.next(),
    channel: room.channel.id,
    user: userId,
    text,
    ...(options.threadTs === undefined ? {} : { thread_ts: options.threadTs }),
    ...options.extra,
  });
}

/** Writes and tells the app. */
export function say(
  deps: PeopleDeps,
  workspace: Workspace,
  room: Room,
  message: { readonly userId: string; readonly text: string; readonly mentions: boolean },
  options: MessageOptions = {},
): SentMessage {
  const written = write(deps, room, message.userId, message.text, options);
  const plain = { ...messageEvent(workspace, room, written), ...options.extra };
  const as = options.as ?? (message.mentions ? "both" : "message");
  const events = [
    ...(as === "app_mention" ? [] : [plain]),
    ...(as === "message" ? [] : [mentionEvent(plain)]),
  ];
  const { firstAttempt, eventId } = options;
  const sent = events.map((event, index) =>
    sendEvent(deps, workspace.teamId, event, {
      ...(firstAttempt === undefined ? {} : { firstAttempt }),
      ...(eventId === undefined || index > 0 ? {} : { eventId }),
    }),
  );
  const acked = Promise.all(sent.map((each) => each.acked)).then(() => undefined);
  acked.catch(() => undefined);
  return { ts: written.ts, threadTs: options.threadTs ?? written.ts, events: sent, acked };
}

export function slashCommand(
  deps: PeopleDeps,
  workspace: Workspace,
  room: Room,
  input: CommandInput,
): SentCommand {
  const at = personAt(deps, workspace, room, input.userId ?? "U0ALICE");
  const eventId = at.triggerId;
  const payload = commandPayload(at, input);
  const sent = deps.dispatcher.dispatch({ kind: "slash_commands", eventId, payload });
  return { ...sent, responseUrl: at.responseUrl };
}

export function interact(
  deps: PeopleDeps,
  workspace: Workspace,
  room: Room,
  userId: string,
  given: JsonObject,
): SentCommand {
  const at = personAt(deps, workspace, room, userId);
  const eventId = at.triggerId;
  const payload = interactionPayload(at, given);
  const sent = deps.dispatcher.dispatch({ kind: "interactive", eventId, payload });
  return { ...sent, responseUrl: at.responseUrl };
}

function personAt(deps: PeopleDeps, workspace: Workspace, room: Room, userId: string): PersonAt {
  const responseUrl = deps.origin + deps.responseUrls.make(workspace, room, userId);
  return { workspace, room, userId, appId: deps.appId, responseUrl, triggerId: makeId("") };
}

/** Slack tells the app of the app's own posts too, like of everyone's. */
export function echoOwnPost(
  deps: PeopleDeps,
  workspace: Workspace,
  method: string,
  answer: JsonObject,
): void {
  const room = workspace.rooms.get(String(answer["channel"]));
  const message = room?.messages.findLast((each) => each.ts === answer["ts"]);
  if (!room || !message || room.channel.isMember === false) return;
  const event = messageEvent(workspace, room, message);
  if (method === "chat.postMessage") sendEvent(deps, workspace.teamId, event);
  if (method !== "chat.update") return;
  const event_ts = deps.state.timestamps.next();
  sendEvent(deps, workspace.teamId, {
    type: "message",
    subtype: "message_changed",
    message: { ...omit(event, ["channel", "channel_type"]), edited: message.edited },
    channel: event["channel"],
    channel_type: event["channel_type"],
    hidden: true,
    ts: event_ts,
    event_ts,
  });
}
