import { AppError, type Abortable } from "#platform";
import { AgentFailure, type AgentConfig, type AgentEvent, type TurnRequest } from "./model.ts";

/** Receives events one by one; resolves once the consumer is ready for more. */
export type Emit = (event: AgentEvent) => Promise<void>;

export interface AttemptOptions extends Abortable {
  /** Travels to the agent as `grpc-timeout`. */
  readonly deadline: Date;
}

/** One agent behind its protocol. */
export interface Agent {
  readonly config: AgentConfig;
  /** One attempt at a turn: emits everything but `started`, `final` last. Throws AppError or AgentFailure. */
  attempt(request: TurnRequest, emit: Emit, options: AttemptOptions): Promise<void>;
  /** Cleared of what was reached by whom: undefined when the agent is there, otherwise what is wrong in a few words. */
  findProblem(options: AttemptOptions): Promise<string | undefined>;
  close(): void;
}

/** Bounds of what an agent may send in one turn. */
export const LIMITS = {
  answerCharactersMax: 200_000,
  framesMax: 50_000,
  operationsMax: 20,
  planTasksMax: 50,
  titleCharactersMax: 200,
  detailCharactersMax: 500,
} as const;

/** Whatever an attempt threw, as the failure of that agent. */
export function asAgentFailure(agent: string, error: unknown): AgentFailure {
  if (error instanceof AgentFailure) return error;
  const code = error instanceof AppError ? error.code : "internal";
  const message = error instanceof Error ? error.message : "threw something that is no error";
  if (code === "unavailable")
    return new AgentFailure("unreachable", agent, message, { cause: error });
  if (code === "timeout") return new AgentFailure("timeout", agent, message, { cause: error });
  return new AgentFailure("failed", agent, message, { cause: error });
}
