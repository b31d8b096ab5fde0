import type { status as Status } from "@grpc/grpc-js";

import type { ReceivedRequest } from "./fake-agent.ts";

/** How a behaviour answers, the same for both protocols. */
export interface Answer {
  delta(text: string): void;
  plan(
    title: string,
    tasks: readonly { readonly id: string; readonly isComplete: boolean }[],
  ): void;
  /** "": the deltas are the answer. */
  final(text: string): void;
  /** Says that it failed. */
  fail(message: string, options: { readonly isRetryable: boolean }): void;
  /** Ends the call with a gRPC status. */
  status(code: Status, details: string): void;
}

export interface Turn {
  readonly request: ReceivedRequest;
  readonly answer: Answer;
  /** Aborted when the caller cancels. */
  readonly signal: AbortSignal;
  /** Calls the original SendReply. */
  readonly sendReply: (text: string) => Promise<void>;
}
