import { createBreaker, type Abortable, type Clock, type Log } from "#platform";
import { asAgentFailure, type Agent } from "./agent.ts";
import { emitting } from "./emitting.ts";
import { askChain } from "./fallback-agent.ts";
import { createGrpcAgent } from "./grpc-agent.ts";
import { type AgentConfig, type AgentEvent, type AgentState, type TurnRequest } from "./model.ts";
import { orderForMessage, stateOf, type Member } from "./registry.ts";
import { createUnaryAgent } from "./unary-agent.ts";
import { watchHealth } from "./watch-health.ts";

export interface AgentsOptions {
  /** Names are unique. Earlier ones win among equals. */
  readonly configs: readonly AgentConfig[];
  readonly log: Log;
  readonly clock: Clock;
  /** How often `watch` asks each agent for its health. 10 s. */
  readonly probeEveryMs?: number;
}

/** The agents we may ask. */
export interface Agents {
  /**
   * One turn: the events of the agent that answers, `final` last. Retries and falls back on the
   * way, so it must not be retried for the same turn once it has thrown AgentFailure. When the
   * signal aborts, the agent is told and the iteration throws the signal's reason.
   */
  converse(request: TurnRequest, options: Abortable): AsyncIterable<AgentEvent>;
  /** What is known of each agent, in the order of the configuration. */
  states(): readonly AgentState[];
  /** Keeps `states` true until the signal aborts. Run it as a service. */
  watch(options: Abortable): Promise<void>;
  /** Closes the channels; running turns fail. */
  close(): void;
}

/** Opens the registry of agents. Nothing is connected before the first turn or probe. */
export function createAgents(options: AgentsOptions): Agents {
  const { configs, log, clock, probeEveryMs = 10_000 } = options;
  const members = configs.map((config) => createMember(config));
  return {
    converse(request, { signal }) {
      const chain = orderForMessage(members, request.message.text);
      return emitting<AgentEvent>(
        (emit, run) => askChain({ log, clock }, chain, request, emit, run),
        { signal },
      );
    },
    states: () => members.map(stateOf),
    watch: ({ signal }) => watchHealth({ log, clock, probeEveryMs }, members, { signal }),
    close() {
      for (const { agent } of members) agent.close();
    },
  };
}

const PROTOCOL = {
  stream: createGrpcAgent,
  unary: createUnaryAgent,
} as const satisfies Record<AgentConfig["protocol"], (config: AgentConfig) => Agent>;

function createMember(config: AgentConfig): Member {
  return {
    agent: PROTOCOL[config.protocol](config),
    breaker: createBreaker({
      name: `agent ${config.name}`,
      // An agent that answers "I failed" is there: asking it again costs nobody a wait.
      isFailure: (error) =>
        ["unreachable", "timeout"].includes(asAgentFailure(config.name, error).kind),
    }),
    health: "unknown",
    detail: undefined,
  };
}
