export { createAgents, type Agents, type AgentsOptions } from "./create-agents.ts";
export {
  AgentFailure,
  type AgentConfig,
  type AgentEvent,
  type AgentFailureKind,
  type AgentState,
  type AgentTask,
  type ServiceState,
  type StateLine,
  type TurnAuthor,
  type TurnMessage,
  type TurnRequest,
} from "./model.ts";
export {
  startBuiltinAgent,
  type BuiltinAgent,
  type BuiltinAgentOptions,
} from "./builtin/start-builtin-agent.ts";
