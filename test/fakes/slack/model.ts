/** JSON as it goes over the wire. */
export type JsonObject = { readonly [key: string]: unknown };

export interface FakeSlackOptions {
  readonly appToken?: string;
  readonly signingSecret?: string;
  readonly appId?: string;
  readonly clientId?: string;
  readonly clientSecret?: string;
  /** How long a delivery waits for its acknowledgement before it is sent again. Slack: 3,000; here 1,000. */
  readonly ackTimeoutMs?: number;
  /** How long after a failed delivery the next one goes out. Slack: about 0, 60,000 and 300,000; here 20, 100 and 300. */
  readonly retryDelaysMs?: readonly number[];
  /** What happens to a delivery that is due while no socket is open: it waits for one (default), or that attempt is lost. */
  readonly whenDisconnected?: "hold" | "lose";
  /** Slack allows 10. */
  readonly connectionsMax?: number;
  /** How often the server pings each socket. Default 2,000. */
  readonly pingIntervalMs?: number;
  /** From the `disconnect` frame to the close. Default 50. */
  readonly disconnectGraceMs?: number;
  /** The app hears of its own posts and edits, as in Slack. Default true. */
  readonly echoesOwnPosts?: boolean;
  /** Default 15,000. */
  readonly waitTimeoutMs?: number;
  /** The clock of message timestamps, response urls and streams, in milliseconds. */
  readonly now?: () => number;
}

export interface FakeWorkspace {
  readonly teamId: string;
  readonly botUserId: string;
  readonly botId: string;
  readonly botToken: string;
  readonly scopes?: readonly string[];
  readonly enterpriseId?: string;
  /** The app is installed on the whole organization: OAuth names no team. */
  readonly isEnterpriseInstall?: boolean;
  /** OAuth gives tokens of 12 hours, each with a refresh token that works once. */
  readonly rotatesTokens?: boolean;
}

export type FakeChannelKind = "public" | "private" | "im" | "mpim";

export interface FakeChannel {
  readonly id: string;
  readonly kind?: FakeChannelKind;
  /** Our bot is in it. Default true. */
  readonly isMember?: boolean;
  readonly isArchived?: boolean;
  readonly name?: string;
  /** The other person of a direct message. */
  readonly user?: string;
}

/** A message as it stands now. Slack's own field names. */
export interface FakeMessage {
  readonly ts: string;
  readonly channel: string;
  readonly text: string;
  readonly user?: string;
  readonly bot_id?: string;
  readonly app_id?: string;
  readonly subtype?: string;
  readonly thread_ts?: string;
  readonly blocks?: readonly JsonObject[];
  readonly metadata?: JsonObject;
  readonly edited?: JsonObject;
  /** It was deleted; people no longer see it. */
  readonly deleted: boolean;
  /** Only this person sees it; it is in no history. */
  readonly ephemeralTo?: string;
  /** "streaming" between chat.startStream and chat.stopStream. */
  readonly streamState?: "streaming" | "stopped";
  /** Text as people read it: that of the blocks where there are any, the stream's, else `text`. */
  readonly visibleText: string;
  /** Whom it notifies: "U0123", "!channel", "!here", "!everyone", "!subteam^S0123". */
  readonly notifies: readonly string[];
}

/** A call of the Web API. */
export interface FakeCall {
  readonly method: string;
  readonly at: Date;
  readonly arguments: JsonObject;
  /** Absent: the token was unknown, or the app-level token. */
  readonly teamId?: string;
  /** What was done to it instead of answering plainly. */
  readonly fault?: Fault;
  /** Absent: it was not performed. */
  readonly answer?: JsonObject;
}

/** What may go wrong with a call of the Web API. */
export type Fault =
  | { readonly kind: "rate_limited"; readonly retryAfterSeconds: number }
  | { readonly kind: "http"; readonly status: number }
  | { readonly kind: "error"; readonly error: string }
  /** Performs the call, then never answers. */
  | { readonly kind: "hang_after_performing" }
  /** Never performs and never answers. */
  | { readonly kind: "hang_before" }
  | { readonly kind: "close_after_performing" }
  | { readonly kind: "close_before" }
  /** Performs the call and answers with a server error. */
  | { readonly kind: "http_after_performing"; readonly status: number }
  /** Answers later. */
  | { readonly kind: "delay"; readonly ms: number }
  /** Performs the call and answers with half of the JSON. */
  | { readonly kind: "bad_json" };

export interface FaultOptions {
  /** Default 1. */
  readonly times?: number;
  readonly teamId?: string;
  readonly channelId?: string;
}

/** One attempt to hand a payload over. */
export interface FakeDelivery {
  /** 0 is the first, then 1 to 3. */
  readonly attempt: number;
  readonly retryReason?: string;
  /** Socket Mode only. */
  readonly envelopeId?: string;
  /** Number of the socket, counted from 1 in the order they connected. */
  readonly connection?: number;
  readonly sentAt: Date;
  readonly outcome:
    | "waiting"
    | "acked"
    | "timeout"
    | "connection_lost"
    | "not_connected"
    | "refused";
  /** HTTP only. */
  readonly status?: number;
}

/** Something sent to the app. */
export interface SentPayload {
  /** The event id; for commands and interactions the trigger id. */
  readonly eventId: string;
  readonly payload: JsonObject;
  /** Resolves with what came with the acknowledgement, if anything; fails when every attempt was in vain. */
  readonly acked: Promise<JsonObject | undefined>;
  /** Grows with every attempt. */
  readonly deliveries: readonly FakeDelivery[];
}

/** A user's message, sent as one or two events. */
export interface SentMessage {
  readonly ts: string;
  /** The thread it is in; its own ts where it starts one. */
  readonly threadTs: string;
  readonly events: readonly SentPayload[];
  /** Every event was acknowledged. */
  readonly acked: Promise<void>;
}

export interface SentCommand extends SentPayload {
  readonly responseUrl: string;
}

export interface FakeAck {
  readonly sent: SentPayload;
  readonly delivery: FakeDelivery;
  readonly payload: JsonObject | undefined;
}

export interface MessageOptions {
  readonly threadTs?: string;
  /** Default: now, unique within the server. */
  readonly ts?: string;
  /** Default: what Slack does: for a mention both events, for other messages `message`. */
  readonly as?: "both" | "message" | "app_mention";
  /** More fields of the event, such as `subtype`, `bot_id` or `files`. */
  readonly extra?: JsonObject;
  /** Slack was unable to deliver at first: only the retry with this number ever arrives. */
  readonly firstAttempt?: number;
  readonly eventId?: string;
}

export interface SendOptions {
  readonly eventId?: string;
  /** Fields that replace those of the envelope (Socket Mode). */
  readonly envelope?: JsonObject;
  /** Fields that replace those of the payload around the event. */
  readonly payload?: JsonObject;
  readonly firstAttempt?: number;
}

export interface CommandInput {
  readonly command: string;
  readonly text?: string;
  readonly userId?: string;
}

export interface HttpReceiver {
  readonly eventsUrl: string;
  readonly interactivityUrl?: string;
  readonly commandsUrl?: string;
}

export interface PostSignedOptions {
  readonly contentType?: string;
  /** In seconds. Default: now. */
  readonly timestampSeconds?: number;
  readonly secret?: string;
  readonly headers?: Readonly<Record<string, string>>;
}
