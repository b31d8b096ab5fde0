import { z } from "zod";
import {
  amount,
  bool,
  id,
  integer,
  network,
  origin,
  port,
  secret,
  secretList,
  text,
  url,
} from "./fields.ts";

const Slack = z.strictObject({
  client_id: id().optional(),
  client_secret: secret().optional(),
  app_token: secret().optional(),
  signing_secret: secretList().optional(),
  bot_token: secret().optional(),
  transport: z.enum(["socket", "http"]).optional(),
  api_url: url().optional(),
  authorize_url: url().optional(),
  redirect_url: url().optional(),
  sockets: integer(1, 10).optional(),
});

const Database = z.strictObject({
  host: text().optional(),
  port: integer(1, 65_535).optional(),
  db_name: text().optional(),
  user: text().optional(),
  password: secret().optional(),
  url: secret().optional(),
  pool_size: integer(2, 200).default(10),
});

const agentFields = {
  endpoint: text(),
  retry_attempts: integer(0, 10).default(3),
  timeout_ms: integer(1000, 3_600_000).default(300_000),
  handles: z.array(text()).max(50).default([]),
  priority: integer(-1000, 1000).default(0),
  tls: bool().default(false),
  token: secret().optional(),
};

const agentName = text().regex(
  /^[a-z][a-z0-9-]{0,62}$/,
  "must be lower-case letters, digits and hyphens, and begin with a letter",
);

// The seed's one agent speaks the original protocol unless it says otherwise.
const Agent = z.strictObject({
  ...agentFields,
  name: agentName.default("default"),
  protocol: z.enum(["stream", "unary"]).default("unary"),
});

const RegistryAgent = z.strictObject({
  ...agentFields,
  name: agentName,
  protocol: z.enum(["stream", "unary"]).default("stream"),
});

const Grpc = z.strictObject({
  allow_anonymous_loopback: bool().optional(),
  reflection: bool().optional(),
});

const Clerk = z.strictObject({
  publishable_key: text().optional(),
  secret_key: secret().optional(),
  webhook_secret: secretList().optional(),
  port: port().default(8082),
  issuer: url().optional(),
  jwks_url: url().optional(),
  jwt_key: secret().optional(),
  api_url: url().default("https://api.clerk.com"),
  authorized_parties: z.array(url()).max(50).default([]),
});

const Encryption = z.strictObject({
  provider: z.enum(["file", "env", "aws_kms", "gcp_kms", "vault_transit"]),
  path: text().optional(),
  keyset: secret().optional(),
  key_id: text().optional(),
  decrypt_key_ids: z.array(text()).max(20).default([]),
  endpoint: url().optional(),
  region: text().optional(),
  credentials: secret().optional(),
  token: secret().optional(),
  token_path: text().optional(),
  namespace: text().optional(),
});

const GitHub = z.strictObject({
  app_id: id().optional(),
  client_id: id().optional(),
  client_secret: secret().optional(),
  private_key: secret().optional(),
  webhook_secret: secretList().optional(),
  webhook_port: port().default(8081),
  app_slug: text().optional(),
  redirect_url: url().optional(),
  api_url: url().default("https://api.github.com"),
  web_url: url().default("https://github.com"),
});

const Integrations = z.strictObject({
  slack: Slack.optional(),
  github: GitHub.optional(),
  aws: z
    .strictObject({
      endpoint: url().optional(),
      region: text().default("us-east-1"),
      principal_arn: text().optional(),
    })
    .optional(),
  gcp: z
    .strictObject({
      token_url: url().default("https://oauth2.googleapis.com/token"),
      api_url: url().optional(),
    })
    .optional(),
  pagerduty: z
    .strictObject({
      api_url: url().default("https://api.pagerduty.com"),
      events_url: url().default("https://events.pagerduty.com"),
      webhook_secret: secretList().optional(),
    })
    .optional(),
  datadog: z.strictObject({ api_url: url().default("https://api.datadoghq.com") }).optional(),
});

const Llm = z.strictObject({
  provider: text(),
  model: text(),
  base_url: url().optional(),
  api_key: secret().optional(),
  budget: z
    .strictObject({
      tokens_per_turn_max: integer(1000, 100_000_000).default(200_000),
      usd_per_day_max: amount().optional(),
    })
    .prefault({}),
});

/** The file as people write it; contracts are in docs and in config.example.yaml. */
export const ConfigFile = z.strictObject({
  mode: z.enum(["local", "production"]).optional(),
  host: text().optional(),
  port: port().default(8080),
  grpc_port: port().default(9090),
  metrics_host: text().default("127.0.0.1"),
  metrics_port: port().default(9464),
  public_url: url().optional(),
  cors_origins: z.array(origin()).max(50).default([]),
  trusted_proxies: z.array(network()).max(50).default([]),
  log_level: z.enum(["fatal", "error", "warn", "info", "debug", "trace"]).default("info"),
  http_log: bool().default(true),
  log_format: z.enum(["json", "pretty"]).optional(),
  slack: Slack.optional(),
  database: Database.optional(),
  agent: Agent.optional(),
  agents: z.array(RegistryAgent).max(50).default([]),
  grpc: Grpc.prefault({}),
  identity: z.strictObject({ clerk: Clerk.optional() }).prefault({}),
  encryption: Encryption.optional(),
  integrations: Integrations.prefault({}),
  plugins: z.array(text()).max(100).default([]),
  workflows: z.strictObject({ directory: text().default("./workflows") }).prefault({}),
  llm: Llm.optional(),
});

export type ConfigFile = z.output<typeof ConfigFile>;
export type SlackFile = z.output<typeof Slack>;
