import type { Secret } from "@infragpt/connector-kit";
import type { CamelKeys } from "./camel-keys.ts";
import type { ConfigFile } from "./schema.ts";

/** Everything the service is told from outside, checked and complete. Units are in the names. */
export interface Config {
  readonly mode: "local" | "production";
  /** The file it was read from, absolute; undefined when there is none. */
  readonly file: string | undefined;
  /** Where local mode keeps its things, absolute. */
  readonly home: string;
  readonly host: string;
  /** HTTP API, console, webhooks. Every port may be 0: any free one. */
  readonly port: number;
  readonly grpcPort: number;
  readonly metricsHost: string;
  readonly metricsPort: number;
  /** Without a slash at its end. */
  readonly publicUrl: string;
  /** Origins whose pages may call the HTTP API from a browser. */
  readonly corsOrigins: readonly string[];
  /** Whose X-Forwarded-For is believed, to tell callers apart. */
  readonly trustedProxies: readonly string[];
  readonly logLevel: "fatal" | "error" | "warn" | "info" | "debug" | "trace";
  readonly httpLog: boolean;
  readonly logFormat: "json" | "pretty";
  /** Undefined when no credential of a Slack app is configured. */
  readonly slack: SlackConfig | undefined;
  /** Undefined when no GitHub App is configured. */
  readonly github: GitHubConfig | undefined;
  readonly database: DatabaseConfig;
  /** External agents; names are unique. Without any, the built-in agent answers. */
  readonly agents: readonly AgentConfig[];
  readonly grpc: GrpcConfig;
  readonly encryption: EncryptionConfig;
  readonly identity: { readonly clerk: ClerkConfig | undefined };
  readonly integrations: IntegrationsConfig;
  /** Connector packages, or absolute paths where the file has a path that begins with a dot. */
  readonly plugins: readonly string[];
  readonly workflows: { readonly directory: string };
  readonly llm: LlmConfig | undefined;
  /** Every secret value above, for the log scrubber. */
  secrets(): readonly Secret[];
}

export interface SlackConfig {
  readonly appToken?: Secret;
  /** One workspace without OAuth. */
  readonly botToken?: Secret;
  /** Empty: no HTTP route is served. Several while one replaces the other. */
  readonly signingSecrets: readonly Secret[];
  readonly clientId?: string;
  readonly clientSecret?: Secret;
  readonly transport: "socket" | "http";
  /** Ends with a slash. */
  readonly apiUrl: string;
  readonly authorizeUrl: string;
  readonly redirectUrl?: string;
  readonly sockets: number;
}

export interface GitHubConfig {
  readonly appId: string;
  /** PEM with real line ends; an RSA key of 2,048 bits or more. */
  readonly privateKey: Secret;
  readonly clientId?: string;
  readonly clientSecret?: Secret;
  readonly appSlug?: string;
  /** Empty: no webhook is served. Several while one replaces the other. */
  readonly webhookSecrets: readonly Secret[];
  /** A server for webhooks alone. */
  readonly webhookPort: number;
  readonly redirectUrl?: string;
  /** Neither ends with a slash. */
  readonly apiUrl: string;
  readonly webUrl: string;
}

export type DatabaseConfig =
  /** The cluster lives below `directory`, which is the home. */
  | { readonly kind: "embedded"; readonly directory: string; readonly poolSize: number }
  | { readonly kind: "url"; readonly url: Secret; readonly poolSize: number };

/** One agent of the registry. */
export interface AgentConfig {
  readonly name: string;
  /** "host:port". */
  readonly endpoint: string;
  readonly protocol: "stream" | "unary";
  /** Topics it is good at; empty: everything. */
  readonly handles: readonly string[];
  /** Higher is asked first. */
  readonly priority: number;
  readonly timeoutMs: number;
  readonly retryAttempts: number;
  readonly tls: boolean;
  readonly token: Secret | undefined;
}

export interface GrpcConfig {
  /** Callers on this machine need no token. */
  readonly allowsAnonymousLoopback: boolean;
  readonly hasReflection: boolean;
}

export type EncryptionConfig =
  /** `isGenerated`: the service may create the file where there is none, in local mode only. */
  | { readonly provider: "file"; readonly path: string; readonly isGenerated: boolean }
  | { readonly provider: "env"; readonly keyset: Secret }
  | (KeyServiceConfig & { readonly provider: "aws_kms"; readonly region: string })
  | (KeyServiceConfig & { readonly provider: "gcp_kms"; readonly credentials?: Secret })
  | (KeyServiceConfig & {
      readonly provider: "vault_transit";
      readonly endpoint: string;
      /** A token, or the absolute path of the file that an agent keeps one in. */
      readonly token: Secret | { readonly path: string };
      readonly namespace?: string;
    });

interface KeyServiceConfig {
  /** The key that new records are sealed with, in the service's own words. */
  readonly keyId: string;
  /** Further keys that may open records. */
  readonly decryptKeyIds: readonly string[];
  readonly endpoint?: string;
}

export type ClerkConfig = CamelKeys<NonNullable<ConfigFile["identity"]["clerk"]>>;
export type IntegrationsConfig = Omit<CamelKeys<ConfigFile["integrations"]>, "slack" | "github">;
export type LlmConfig = CamelKeys<NonNullable<ConfigFile["llm"]>>;
