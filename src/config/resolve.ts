import { resolve } from "node:path";
import { Secret } from "@infragpt/connector-kit";
import { camelKeys } from "./camel-keys.ts";
import type { AgentConfig, Config, DatabaseConfig } from "./config.ts";
import type { ConfigSource } from "./load-config.ts";
import type { Problems } from "./problems.ts";
import { resolveDatabase } from "./resolve-database.ts";
import { resolveEncryption } from "./resolve-encryption.ts";
import { resolveGitHub } from "./resolve-github.ts";
import { resolveSlack } from "./resolve-slack.ts";
import { checkRules, isLoopback } from "./rules.ts";
import type { ConfigFile } from "./schema.ts";

interface Context extends ConfigSource {
  readonly file: string | undefined;
  readonly directory: string;
  readonly problems: Problems;
}

/** The rules between sections, then the configuration as the code uses it. Throws ConfigError. */
export function resolveConfig(context: Context, sections: Partial<ConfigFile>): Config {
  const { env, cwd, problems } = context;
  const home = resolve(cwd, env["INFRAGPT_HOME"] || ".infragpt");
  const mode = modeOf(sections);
  checkRules(sections, mode, problems);
  const database = resolveDatabase(sections.database, home, problems);
  const slack = resolveSlack(sections, mode, problems);
  const github = resolveGitHub(sections, mode, problems);
  const agents = resolveAgents(sections, problems);
  const encryption = resolveEncryption(context, sections, { home, mode });
  assertComplete(sections, problems);

  const file = sections;
  const { slack: _, github: __, ...integrations } = camelKeys(file.integrations);
  const values: Omit<Config, "secrets"> = {
    mode,
    file: context.file,
    home,
    host: file.host ?? (mode === "production" ? "0.0.0.0" : "127.0.0.1"),
    port: file.port,
    grpcPort: file.grpc_port,
    metricsHost: file.metrics_host,
    metricsPort: file.metrics_port,
    publicUrl: (file.public_url ?? `http://localhost:${file.port}`).replace(/\/+$/, ""),
    corsOrigins: file.cors_origins,
    trustedProxies: file.trusted_proxies,
    logLevel: file.log_level,
    httpLog: file.http_log,
    logFormat: file.log_format ?? (context.isTty ? "pretty" : "json"),
    slack,
    github,
    database,
    agents,
    grpc: {
      allowsAnonymousLoopback: file.grpc.allow_anonymous_loopback ?? mode === "local",
      hasReflection: file.grpc.reflection ?? mode === "local",
    },
    encryption,
    identity: { clerk: file.identity.clerk && camelKeys(file.identity.clerk) },
    integrations,
    plugins: file.plugins.map((name) =>
      name.startsWith(".") ? resolve(context.directory, name) : name,
    ),
    workflows: { directory: resolve(context.directory, file.workflows.directory) },
    llm: file.llm && camelKeys(file.llm),
  };
  return { ...values, secrets: () => [...secretsIn(values), ...passwordOf(values.database)] };
}

// A section is missing only where it has a problem.
function assertComplete(
  _sections: Partial<ConfigFile>,
  problems: Problems,
): asserts _sections is ConfigFile {
  problems.throwIfAny();
}

// An outside database or an address others can reach is production, said or not.
function modeOf({ mode, host, database }: Partial<ConfigFile>): Config["mode"] {
  const isOpen = host !== undefined && !isLoopback(host);
  const hasDatabase = database?.url !== undefined || database?.host !== undefined;
  return mode ?? (isOpen || hasDatabase ? "production" : "local");
}

function resolveAgents(
  { agent, agents = [] }: Partial<ConfigFile>,
  problems: Problems,
): readonly AgentConfig[] {
  const all = agent === undefined ? agents : [agent, ...agents];
  const names = all.map(({ name }) => name);
  for (const [index, { name }] of agents.entries()) {
    if (names.indexOf(name) !== index + all.length - agents.length) {
      problems.add(["agents", index, "name"], "is the name of another agent too");
    }
  }
  return all.map((entry) => ({ ...camelKeys(entry), token: entry.token }));
}

function secretsIn(value: unknown): readonly Secret[] {
  if (value instanceof Secret) return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(secretsIn);
}

// The address is a secret as a whole; a driver's message may hold the password alone.
function passwordOf(database: DatabaseConfig): readonly Secret[] {
  const url = database.kind === "url" ? URL.parse(database.url.reveal()) : null;
  return url?.password ? [new Secret(decodeURIComponent(url.password))] : [];
}
