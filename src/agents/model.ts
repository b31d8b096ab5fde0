import type { Secret } from "#platform";

/** One agent of the registry, as the configuration names it. */
export interface AgentConfig {
  readonly name: string;
  /** "host:port". */
  readonly endpoint: string;
  /** `stream` is our own Converse, `unary` the original ProcessMessage. */
  readonly protocol: "stream" | "unary";
  /** Words or phrases of the messages it is for; empty or "*" is every message. */
  readonly handles: readonly string[];
  /** Higher is asked first among agents that fit a message equally well. */
  readonly priority: number;
  /** The longest a turn may take with this agent, retries included. */
  readonly timeoutMs: number;
  /** Runs after the first while the agent cannot be reached. */
  readonly retryAttempts: number;
  readonly tls: boolean;
  /** Sent as `authorization: Bearer …`. */
  readonly token?: Secret | undefined;
}

/** Who wrote a message, as an agent sees it. */
export interface TurnAuthor {
  readonly kind: "person" | "agent" | "bot" | "service";
  readonly id: string;
  readonly name?: string | undefined;
}

export interface TurnMessage {
  readonly messageId: string;
  readonly text: string;
  readonly author: TurnAuthor;
  readonly sentAt: Date;
}

/** Everything an agent is told to answer one message. */
export interface TurnRequest {
  readonly conversationId: string;
  readonly turnId: string;
  /** Shown to people when the turn fails. */
  readonly traceId: string;
  readonly message: TurnMessage;
  /** Oldest first. */
  readonly history: readonly TurnMessage[];
  readonly principal: {
    readonly organizationId: string;
    readonly userId: string;
    readonly surface: "slack" | "grpc" | "console";
    readonly channelId: string;
  };
}

export interface AgentTask {
  readonly id: string;
  readonly title: string;
  readonly state: "pending" | "in_progress" | "complete" | "failed";
  readonly detail?: string | undefined;
}

/**
 * What an agent says during a turn. `started` comes first, and again when another agent takes over;
 * `final` comes last and once, and its text is the whole answer, whatever was streamed before; a
 * failure is thrown instead. The final text of a unary agent may be empty: it then said all it had
 * to say through SendReply. Every text is free of control and invisible characters.
 */
export type AgentEvent =
  | { readonly kind: "started"; readonly agent: string }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "plan"; readonly title: string; readonly tasks: readonly AgentTask[] }
  | { readonly kind: "task"; readonly task: AgentTask }
  | {
      readonly kind: "usage";
      readonly model: string;
      readonly inputTokens: number;
      readonly outputTokens: number;
      readonly costMicroUsd: number;
    }
  | { readonly kind: "final"; readonly agent: string; readonly text: string };

/**
 * Why no agent answered.
 *
 * - `unreachable`: no agent of the chain could be reached.
 * - `timeout`: the agent took longer than its deadline.
 * - `failed`: the agent said that it failed, or broke the protocol.
 * - `none`: no agent is configured for this.
 */
export type AgentFailureKind = "unreachable" | "timeout" | "failed" | "none";

/** Thrown by `converse` after retries and the fallback chain are spent. `message` is for the log, never for the thread. */
export class AgentFailure extends Error {
  override readonly name = "AgentFailure";
  readonly kind: AgentFailureKind;
  /** The agent tried last. */
  readonly agent: string;

  constructor(
    kind: AgentFailureKind,
    agent: string,
    message: string,
    options: { readonly cause?: unknown } = {},
  ) {
    super(message, options);
    this.kind = kind;
    this.agent = agent;
  }
}

export interface AgentState {
  readonly name: string;
  readonly endpoint: string;
  readonly protocol: "stream" | "unary";
  readonly health: "healthy" | "unreachable" | "unknown";
  readonly detail?: string | undefined;
}

/** One line of the service's own state, as the built-in agent and readiness tell it. */
export interface StateLine {
  readonly name: string;
  readonly state: "ok" | "degraded" | "down";
  readonly detail: string;
}

/** What the built-in agent may ask about the service it ships with. */
export interface ServiceState {
  readonly connections: readonly StateLine[];
  readonly agents: readonly StateLine[];
  readonly queues: readonly StateLine[];
  readonly database: StateLine;
}
