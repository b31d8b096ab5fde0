import type { WaitOptions } from "../../support/until.ts";

/** A request that the agent received. */
export interface ReceivedRequest {
  readonly protocol: "stream" | "unary";
  readonly conversationId: string;
  /** The message to answer. */
  readonly text: string;
  readonly userId: string;
  readonly channelId: string;
  readonly history: readonly ReceivedHistory[];
  /** "" in the original protocol. */
  readonly traceId: string;
  /** JSON of the original protocol; "" in ours. */
  readonly context: string;
  /** Metadata of the call, such as `authorization`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** What was left until the caller's deadline; absent without one. */
  readonly deadlineMs?: number;
  /** Counted from 1 since the agent started first. */
  readonly number: number;
}

export interface ReceivedHistory {
  readonly messageId: string;
  readonly text: string;
  /** "person", "agent", "bot" or "service". */
  readonly author: string;
  readonly authorId: string;
  /** ISO 8601. */
  readonly sentAt: string;
}

export interface FakeAgentOptions {
  /** Default: a free one. */
  readonly port?: number;
  /** What it does with a text that names no behaviour. Default "echo". */
  readonly behaviour?: string;
  /** Where `reply-and-return` calls SendReply. May be set later with `setBackend`. */
  readonly backend?: string;
}

/**
 * An agent in a process of its own, serving both protocols and health on one loopback port.
 *
 * What it does is the first line of the message, when that is one of these; otherwise the default behaviour. A line may
 * go on with `#` and anything, to tell messages apart: `hang #3`.
 *
 * - `echo`: "You said: …" in several deltas
 * - `hang`: nothing until the caller cancels
 * - `slow <ms>`: the echo, later
 * - `fail` or `fail retryable`: says that it failed
 * - `partial`: half an answer, then UNAVAILABLE
 * - `status <CODE> [times]`: that gRPC status, so many times for this text (default: always), then the echo
 * - `crash`: the process ends in the middle of the turn, after some text
 * - `empty`: an answer without text
 * - `long <characters>`: exactly so many, with headings and code fences
 * - `plan`: plan and task updates around a text
 * - `mention-everyone`: a text that would notify the channel
 * - `history`: the history it got, as JSON
 * - `reply-and-return`: calls the original SendReply, then returns the same text
 * - `reply-and-return-other`: calls SendReply with one text, then returns another
 */
export interface FakeAgent extends AsyncDisposable {
  /** "127.0.0.1:PORT" */
  readonly endpoint: string;
  readonly pid: number | undefined;
  requests(): readonly ReceivedRequest[];
  waitForRequest(
    wanted?: (request: ReceivedRequest) => boolean,
    options?: WaitOptions,
  ): Promise<ReceivedRequest>;
  /** Waits until this many calls (default 1) were cancelled by the caller. */
  waitForCancel(count?: number, options?: WaitOptions): Promise<void>;
  /** Calls that the caller cancelled. */
  cancellations(): readonly ReceivedRequest[];
  /** From now on every answer is held back until `release`. */
  pause(): Promise<void>;
  release(): Promise<void>;
  /** Replaces the default behaviour. */
  setBehaviour(behaviour: string): Promise<void>;
  setBackend(endpoint: string): Promise<void>;
  /** Reported by the health service. */
  setHealth(status: "SERVING" | "NOT_SERVING"): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
  /** A new process on the same port. */
  restart(): Promise<void>;
}
