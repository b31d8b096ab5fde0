const CAN = `- **This machine:** "why is this machine slow?", "disk full?", "which process eats the memory?", "is anything listening on 8080?", "is nginx running?", load, memory, uptime
- **This service:** "status", "are you connected to Slack?", its agents, queues and database`;

const CONNECT = `\`\`\`yaml
agent:
  endpoint: "127.0.0.1:50051"
\`\`\``;

/** What the built-in agent can do, for people who say hello. */
export function helpAnswer(): readonly string[] {
  return [
    "I am InfraGPT's built-in agent. I answer without a model, from live readings:",
    CAN,
    `To ask anything else, connect an agent that serves \`infragpt.agent.v1.AgentService\` (or the original \`agent.AgentService\`) in the configuration:\n\n${CONNECT}`,
  ];
}

/** The plain truth about a question that is not in the table. */
export function unknownAnswer(): readonly string[] {
  return [
    "**I cannot answer that.** No model is configured, so I only read this service and the machine it runs on.",
    `What I can tell you:\n\n${CAN}`,
    `For questions like yours, connect an agent in the configuration:\n\n${CONNECT}`,
  ];
}
