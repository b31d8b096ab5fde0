export { startFakeAgent } from "./start-fake-agent.ts";
export type {
  FakeAgent,
  FakeAgentOptions,
  ReceivedHistory,
  ReceivedRequest,
} from "./fake-agent.ts";
