export { closest } from "./closest.ts";
export type {
  AgentConfig,
  ClerkConfig,
  Config,
  DatabaseConfig,
  EncryptionConfig,
  GrpcConfig,
  IntegrationsConfig,
  LlmConfig,
  SlackConfig,
} from "./config.ts";
export { loadConfig, type ConfigSource } from "./load-config.ts";
export { ConfigError, type ConfigProblem } from "./problems.ts";
