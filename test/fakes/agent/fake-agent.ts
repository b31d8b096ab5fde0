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
  /** Metadata of the call, such as `authorization` and `grpc-timeout`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Counted from 1 since the agent started first. */
  readonly number: number;
}

export interface ReceivedHistory {
  readonly messageId: string;
  readonly text: string;
  /** "person", "agent", "bot" or "service". */
  readonly author: string;
  readonly authorId: string;
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
 * What it does is the first words of the message, wherever they stand in a line of their own or at the start:
 * `echo`, `hang`, `slow <ms>`, `fail`, `status <code> [times]`, `crash`, `long <characters>`, `reply-and-return`,
 * `mention-everyone`, `history`, `partial` (some text, then an error), `empty`. Anything else is the default
 * behaviour.
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
