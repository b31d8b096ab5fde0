import type { Breaker } from "#platform";
import type { Agent } from "./agent.ts";
import { fitOf } from "./handles.ts";
import type { AgentState } from "./model.ts";

/** An agent with what we have learnt about it. */
export interface Member {
  readonly agent: Agent;
  readonly breaker: Breaker;
  health: AgentState["health"];
  detail: string | undefined;
}

/**
 * The agents that fit a message, in the order they are asked: unreachable ones last, then the
 * longest match of `handles`, then the higher priority, then the order of the configuration.
 */
export function orderForMessage(members: readonly Member[], text: string): readonly Member[] {
  return members
    .map((member) => ({ member, fit: fitOf(member.agent.config.handles, text) }))
    .filter((entry): entry is { member: Member; fit: number } => entry.fit !== undefined)
    .toSorted(
      (a, b) =>
        Number(a.member.health === "unreachable") - Number(b.member.health === "unreachable") ||
        b.fit - a.fit ||
        b.member.agent.config.priority - a.member.agent.config.priority,
    )
    .map(({ member }) => member);
}

export function stateOf({ agent, health, detail }: Member): AgentState {
  const { name, endpoint, protocol } = agent.config;
  return { name, endpoint, protocol, health, detail };
}
