import type { WaitOptions } from "../../support/until.ts";
import type {
  CommandInput,
  FakeAck,
  FakeCall,
  FakeChannel,
  FakeMessage,
  FakeWorkspace,
  Fault,
  FaultOptions,
  HttpReceiver,
  JsonObject,
  MessageOptions,
  PostSignedOptions,
  SendOptions,
  SentCommand,
  SentMessage,
  SentPayload,
} from "./model.ts";

/** Where a wait looks. Default: the default workspace and channel. */
export interface MessageWaitOptions extends WaitOptions {
  readonly teamId?: string;
  readonly channelId?: string;
}

/** A Slack of its own on a loopback port: Web API, Socket Mode and the sender of the Events API. */
export interface FakeSlack extends AsyncDisposable {
  /** "http://127.0.0.1:PORT/api/" */
  readonly apiUrl: string;
  readonly appId: string;
  readonly appToken: string;
  readonly signingSecret: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Where OAuth begins. */
  readonly authorizeUrl: string;
  /** A person presses Allow on the page of this address; returns where Slack sends the browser. */
  approve(
    authorizeUrl: string,
    by?: { readonly teamId?: string; readonly userId?: string },
  ): string;
  /** A person presses Cancel there. */
  cancel(authorizeUrl: string): string;
  /** Made at the start: team T0LOCAL, bot U0BOT. */
  readonly workspace: FakeWorkspace;
  /** Made at the start: public channel C0LOCAL, our bot is in it. */
  readonly channel: FakeChannel;

  /** Every field has a default made from the team id. */
  addWorkspace(workspace: Partial<FakeWorkspace> & { readonly teamId: string }): FakeWorkspace;
  addChannel(teamId: string, channel: FakeChannel): FakeChannel;
  /** Archives a channel, takes our bot out of it, … */
  changeChannel(teamId: string, channelId: string, change: Partial<FakeChannel>): void;
  /** From now on the bot token is answered with this error. */
  revokeToken(teamId: string, error?: "token_revoked" | "account_inactive" | "invalid_auth"): void;

  /** Everything that was written in a channel, in order, deleted and ephemeral messages included. */
  messages(teamId?: string, channelId?: string): readonly FakeMessage[];
  /** What people see of our bot in a channel: not deleted, not ephemeral. */
  answers(teamId?: string, channelId?: string, threadTs?: string): readonly FakeMessage[];
  /** The last status shown in a thread; "" when it was cleared. */
  threadStatus(teamId: string, channelId: string, threadTs: string): string | undefined;
  /** Appends a message to the history without telling the app. Returns its ts. */
  write(
    teamId: string,
    channelId: string,
    userId: string,
    text: string,
    options?: MessageOptions,
  ): string;
  calls(method?: string): readonly FakeCall[];

  /** The next calls of the method ("*": of any) go wrong. Faults queue up: the first that matches is used up first. */
  fail(method: string, fault: Fault, options?: FaultOptions): void;
  clearFaults(): void;
  /** Called after the call was performed and awaited before it is answered. */
  onCall(method: string, callback: (call: FakeCall) => void | Promise<void>): Disposable;
  onAck(callback: (ack: FakeAck) => void): Disposable;

  /** From now on everything goes to these addresses, signed, instead of the sockets. */
  deliverTo(receiver: HttpReceiver | "sockets"): void;
  sendEvent(teamId: string, event: JsonObject, options?: SendOptions): SentPayload;
  /** A person mentions our bot: the text gets the mention in front unless it has one. Two events, as Slack sends them. */
  mention(
    teamId: string,
    channelId: string,
    userId: string,
    text: string,
    options?: MessageOptions,
  ): SentMessage;
  /** A person writes without a mention: one `message` event. */
  say(
    teamId: string,
    channelId: string,
    userId: string,
    text: string,
    options?: MessageOptions,
  ): SentMessage;
  /** Opens the direct message channel of the person where there is none yet. */
  directMessage(
    teamId: string,
    userId: string,
    text: string,
    options?: MessageOptions,
  ): SentMessage & { readonly channelId: string };
  slashCommand(teamId: string, channelId: string, input: CommandInput): SentCommand;
  /** A `block_actions` payload (or what `payload.type` says); the rest is filled in. */
  interaction(teamId: string, channelId: string, userId: string, payload: JsonObject): SentCommand;

  /** Sockets that are open and not frozen. */
  readonly connections: number;
  /** Sends bytes as they are to every socket. */
  sendRaw(frame: string | Buffer): void;
  /** Sends a `disconnect` frame to every socket and closes it a little later. */
  disconnectAll(
    reason?: "warning" | "refresh_requested" | "link_disabled" | "too_many_websockets",
  ): void;
  /** The present sockets go half-open: TCP stays up, nothing is read or answered any more. */
  freeze(): void;
  /** Cuts every socket without a close frame. */
  dropConnections(): void;
  /**
   * New sockets are refused: an error text by `apps.connections.open` (`ok: false`), a number by its HTTP status,
   * or `{ upgradeStatus }` by the WebSocket handshake.
   */
  refuseConnections(
    how: string | number | { readonly upgradeStatus: number },
    times?: number,
  ): void;

  waitForConnections(count: number, options?: WaitOptions): Promise<void>;
  /** Waits for this many visible answers of our bot, or until the predicate accepts the channel's messages. */
  waitForMessages(
    wanted: number | ((messages: readonly FakeMessage[]) => boolean),
    options?: MessageWaitOptions,
  ): Promise<readonly FakeMessage[]>;
  waitForAck(eventId: string, options?: WaitOptions): Promise<void>;
  /** Waits until the method was called this often. */
  waitForCalls(method: string, count: number, options?: WaitOptions): Promise<readonly FakeCall[]>;

  /** Everything secret that it has or ever gave out. */
  secrets(): readonly string[];
  /** Headers of a correct v0 signature. */
  sign(
    body: string,
    options?: { readonly timestampSeconds?: number; readonly secret?: string },
  ): Record<string, string>;
  /** Posts any body with a signature. */
  postSigned(
    url: string,
    body: string,
    options?: PostSignedOptions,
  ): Promise<{ readonly status: number; readonly body: string }>;
  /** Sends events to one address, one after the other, each until it is acknowledged. */
  postEvents(
    url: string,
    teamId: string,
    events: readonly JsonObject[],
  ): Promise<readonly SentPayload[]>;
}
