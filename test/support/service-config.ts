import { loadConfig, type Config } from "#config";
import { Secret } from "#platform";

/** What a story says about the service under test; everything else is local mode's default. Plain JSON, so that it also reaches another process. */
export interface ServiceSpec {
  readonly databaseUrl: string;
  /** For the key file; services of one database share it, as replicas share their keys. */
  readonly home: string;
  readonly slack?: {
    readonly apiUrl: string;
    readonly appToken?: string;
    readonly botToken?: string;
    readonly signingSecret?: string;
    readonly clientId?: string;
    readonly clientSecret?: string;
    readonly authorizeUrl?: string;
    readonly transport?: "socket" | "http";
    readonly sockets?: number;
  };
  readonly github?: {
    readonly apiUrl: string;
    readonly webUrl: string;
    readonly appId: string;
    readonly appSlug: string;
    readonly clientId: string;
    readonly clientSecret: string;
    readonly privateKey: string;
    readonly webhookSecrets: readonly string[];
  };
  readonly agents?: readonly {
    readonly name: string;
    readonly endpoint: string;
    readonly protocol?: "stream" | "unary";
    readonly priority?: number;
    readonly timeoutMs?: number;
    readonly retryAttempts?: number;
  }[];
  readonly clerk?: {
    readonly issuer: string;
    readonly jwksUrl: string;
    readonly webhookSecrets: readonly string[];
    readonly authorizedParties?: readonly string[];
    readonly jwtKey?: string;
  };
  readonly corsOrigins?: readonly string[];
  readonly failpoint?: "ingested" | "leased" | "agent_answered" | "posted" | "marked";
}

/** Local mode on free ports, with the test run's PostgreSQL in the place of the embedded one. */
export function configOf(spec: ServiceSpec): Config {
  const config = loadConfig({ env: { INFRAGPT_HOME: spec.home }, cwd: spec.home, isTty: false });
  const { slack } = spec;
  return {
    ...config,
    port: 0,
    grpcPort: 0,
    metricsPort: 0,
    httpLog: false,
    logLevel: "error",
    database: { kind: "url", url: new Secret(spec.databaseUrl), poolSize: 10 },
    slack: slack && {
      ...(slack.appToken === undefined ? {} : { appToken: new Secret(slack.appToken) }),
      ...(slack.botToken === undefined ? {} : { botToken: new Secret(slack.botToken) }),
      signingSecrets: slack.signingSecret === undefined ? [] : [new Secret(slack.signingSecret)],
      transport: slack.transport ?? "socket",
      apiUrl: slack.apiUrl,
      ...(slack.clientId === undefined ? {} : { clientId: slack.clientId }),
      ...(slack.clientSecret === undefined ? {} : { clientSecret: new Secret(slack.clientSecret) }),
      authorizeUrl: slack.authorizeUrl ?? "https://slack.com/oauth/v2/authorize",
      sockets: slack.sockets ?? 2,
    },
    github: spec.github && {
      apiUrl: spec.github.apiUrl,
      webUrl: spec.github.webUrl,
      appId: spec.github.appId,
      appSlug: spec.github.appSlug,
      clientId: spec.github.clientId,
      clientSecret: new Secret(spec.github.clientSecret),
      privateKey: new Secret(spec.github.privateKey),
      webhookSecrets: spec.github.webhookSecrets.map((secret) => new Secret(secret)),
      webhookPort: 0,
    },
    corsOrigins: spec.corsOrigins ?? [],
    identity: {
      clerk: spec.clerk && {
        issuer: spec.clerk.issuer,
        jwksUrl: spec.clerk.jwksUrl,
        webhookSecret: spec.clerk.webhookSecrets.map((secret) => new Secret(secret)),
        authorizedParties: spec.clerk.authorizedParties ?? [],
        ...(spec.clerk.jwtKey === undefined ? {} : { jwtKey: new Secret(spec.clerk.jwtKey) }),
        port: 0,
        apiUrl: "https://api.clerk.com",
      },
    },
    agents: (spec.agents ?? []).map((agent) => ({
      name: agent.name,
      endpoint: agent.endpoint,
      protocol: agent.protocol ?? "stream",
      handles: [],
      priority: agent.priority ?? 0,
      timeoutMs: agent.timeoutMs ?? 60_000,
      retryAttempts: agent.retryAttempts ?? 1,
      tls: false,
      token: undefined,
    })),
  };
}
