import type { Connector } from "@infragpt/connector-kit";
import { createAgents, startBuiltinAgent, type AgentConfig, type ServiceState } from "#agents";
import { createAudit, type Audit } from "#audit";
import type { Config } from "#config";
import { createConversations } from "#conversations";
import { migrate, openDatabase, sqlExecutor, type OpenDatabase } from "#database";
import { LOCAL_ORGANIZATION_ID, assertCanByName, createIdentity } from "#identity";
import {
  builtinConnectors,
  createIntegrations,
  createVendorFetch,
  type Integrations,
} from "#integrations";
import {
  createEvents,
  createGrpcServer,
  createHttpServer,
  createIds,
  createJobs,
  createServices,
  noFailpoint,
  systemClock,
  type Abortable,
  type Failpoint,
  type Log,
} from "#platform";
import {
  configuredAccounts,
  connectorSettings,
  expectedLinks,
  redirectUrls,
} from "./connectors.ts";
import { identityProvider } from "./identity-provider.ts";
import { openKeyring } from "./keyring.ts";
import { consoleRoutes, healthRoutes } from "./routes.ts";
import { webhookServer } from "./webhook-server.ts";
import { readDependencies, readServiceState, stateAsMarkdown, type StateSources } from "./state.ts";

/** How long a start waits for a database that is away. */
const DATABASE_WAIT_MS = 30_000;
/** Running turns get this long at a stop; the whole stop stays below 30 s. */
const JOBS_GRACE_MS = 15_000;
const GRPC_GRACE_MS = 3_000;
const SIGN_MS_MAX = 2_000;
/** Room for the storing before and after the slowest chain of agents. */
const TURN_SPARE_SECONDS = 60;
const BUILTIN_TIMEOUT_MS = 60_000;
const CONCURRENCY = { deliveriesMax: 64, turnsMax: 32, postsMax: 16 } as const;

export interface AppDeps {
  readonly log: Log;
  readonly failpoint?: Failpoint;
  /** Beside those that ship with the service. */
  readonly connectors?: readonly Connector[];
}

export interface AppAddresses {
  /** "http://127.0.0.1:8080" */
  readonly http: string;
  /** "127.0.0.1:9090" */
  readonly grpc: string;
  /** Kind and place, without a password. */
  readonly database: string;
  /** Clerk's webhooks alone, where they are configured. */
  readonly directoryWebhooks?: string;
  /** GitHub's webhooks alone, where they are configured. */
  readonly githubWebhooks?: string;
}

/** A service that runs. */
export interface RunningApp {
  readonly addresses: AppAddresses;
  readonly agentNames: readonly string[];
  /** A one-time link that signs in the admin of local mode; undefined where identity is not local. */
  createLoginLink(): Promise<string | undefined>;
  states(): Promise<ServiceState>;
  /** Connects an account with credentials at hand, as the end of an OAuth flow does. */
  connect: Integrations["connect"];
  /** Ends in order within 30 s: no new work, running work finished or given back, then everything closed. */
  stop(): Promise<void>;
}

/**
 * Builds every room once, bottom to top, and starts them. Throws AppError when something is away,
 * KeyringError when the keys do not fit; what was started by then is stopped again.
 */
export async function startApp(
  config: Config,
  deps: AppDeps,
  { signal }: Abortable,
): Promise<RunningApp> {
  await using opened = new AsyncDisposableStack();
  const { log } = deps;
  const clock = systemClock;
  const ids = createIds();
  const failpoint = deps.failpoint ?? noFailpoint;

  const database = await openDatabase({
    connection:
      config.database.kind === "embedded" ? { ...config.database, attach: false } : config.database,
    log: log.child({ room: "database" }),
    signal,
    waitMs: DATABASE_WAIT_MS,
  });
  opened.defer(() => database.close());
  const { db } = database;
  await migrate(db, { log: log.child({ room: "database" }) });
  const keyring = await openKeyring(config.encryption, db, log);

  const services = createServices({ log });
  const jobs = createJobs({
    connection: database.connection,
    db: sqlExecutor(db),
    log: log.child({ room: "jobs" }),
  });
  const events = createEvents({ jobs, ids });
  const audit = createAudit({ db, ids, clock, log: log.child({ room: "audit" }), keyring });
  // Last but for the database: whatever ends before it may still be recorded.
  opened.defer(() => signHeadsAtStop(audit, log));
  let publicUrl = config.publicUrl;
  const identity = createIdentity(
    { db, ids, clock, log: log.child({ room: "identity" }), audit, events },
    { provider: identityProvider(config), publicUrl: () => publicUrl },
  );
  const guardedFetch = createVendorFetch({ isLoopbackAllowed: config.mode === "local" });
  opened.defer(() => guardedFetch[Symbol.asyncDispose]());
  const integrations = createIntegrations(
    {
      db,
      ingestDb: database.ingestDb,
      jobs,
      keyring,
      services,
      log: log.child({ room: "integrations" }),
      ids,
      clock,
      failpoint,
      events,
      audit,
      publicUrl: () => publicUrl,
      redirectUrls: redirectUrls(config),
      connectors: [
        ...builtinConnectors(connectorSettings(config, guardedFetch)),
        ...(deps.connectors ?? []),
      ],
      concurrencyMax: CONCURRENCY.deliveriesMax,
    },
    configuredAccounts(config),
  );
  await integrations.checkKeys({ signal });

  let sources: StateSources | undefined;
  function built(): StateSources {
    if (sources) return sources;
    throw new Error("The state is read before the service is built.");
  }
  async function readState(organizationId: string): Promise<ServiceState> {
    return readServiceState(built(), organizationId);
  }
  const builtin = await startBuiltinAgent({ readState, log: log.child({ room: "agents" }) });
  opened.defer(() => builtin.close());
  const agentConfigs =
    config.agents.length > 0 ? config.agents.map(toAgentConfig) : [builtinConfig(builtin)];
  const agents = createAgents({ configs: agentConfigs, log: log.child({ room: "agents" }), clock });
  opened.defer(() => agents.close());
  sources = {
    database,
    integrations,
    agents,
    jobs,
    expectedLinks: expectedLinks(config),
    isShared: identity.provider !== "local",
  };

  const conversations = createConversations({
    db,
    jobs,
    events,
    publicUrl: () => publicUrl,
    integrations,
    identity,
    agents,
    log: log.child({ room: "conversations" }),
    ids,
    clock,
    failpoint,
    describeState: async (organizationId) => stateAsMarkdown(await readState(organizationId)),
    turnSecondsMax: turnSecondsMax(agentConfigs),
    concurrency: CONCURRENCY,
  });

  let isStopping = false;
  const http = createHttpServer({
    log: log.child({ room: "http" }),
    host: config.host,
    port: config.port,
    isHttpLogOn: config.httpLog,
    mode: config.mode,
    ids,
    clock,
    corsOrigins: config.corsOrigins,
    trustedProxies: config.trustedProxies,
    assertCan: assertCanByName,
    onDenied: (principal, denied) => identity.recordDenial(principal, denied),
    authenticate: ({ remoteAddress, ...credentials }) =>
      identity.authenticate(
        { ...credentials, peer: remoteAddress },
        { isAnonymousLoopbackAllowed: false },
      ),
    routes: [
      ...healthRoutes({
        readChecks: () => readDependencies(built()),
        isStopping: () => isStopping,
        isDetailShown: config.mode === "local",
      }),
      ...identity.routes,
      ...audit.routes,
      ...integrations.routes,
      ...conversations.routes,
    ],
    rawRoutes: [
      ...consoleRoutes(identity.provider),
      ...identity.rawRoutes,
      ...(identity.directoryWebhook ? [identity.directoryWebhook] : []),
      ...integrations.webhookRoutes,
      ...integrations.redirectRoutes,
    ],
  });
  const grpc = createGrpcServer({
    log: log.child({ room: "grpc" }),
    host: config.host,
    port: config.grpcPort,
    ids,
    services: conversations.grpcServices,
    authenticate: ({ authorization, peer }) =>
      identity.authenticate(
        { authorization, peer },
        { isAnonymousLoopbackAllowed: config.grpc.allowsAnonymousLoopback },
      ),
    isReflectionOn: config.grpc.hasReflection,
  });

  opened.defer(() => integrations.inbox.drain());
  const grpcAddress = await grpc.start();
  opened.defer(() => grpc.stop(GRPC_GRACE_MS));
  // Before the start: one that fails half-way has connections and timers of its own by then.
  opened.defer(() => jobs.stop({ graceMs: JOBS_GRACE_MS }));
  await jobs.start();
  const { url } = await http.start();
  opened.defer(() => http.stop());
  if (config.port === 0) publicUrl = url;
  // On ports of their own too, so that nothing else of ours needs to be reachable.
  const ofDirectory = identity.directoryWebhook ? [identity.directoryWebhook] : [];
  const ofGitHub = integrations.webhookRoutes.filter(({ path }) => path === "/webhooks/github");
  const ports = { directory: config.identity.clerk?.port, github: config.github?.webhookPort };
  const directory = webhookServer(config, log, ports.directory, ofDirectory);
  const directoryAddress = await directory?.start();
  opened.defer(() => directory?.stop());
  const github = webhookServer(config, log, ports.github, ofGitHub);
  const githubAddress = await github?.start();
  opened.defer(() => github?.stop());
  opened.defer(() => services.stop());
  services.add("agents:watch", (options) => agents.watch(options));
  services.add("audit:sign", (options) => audit.keepSigning(options));
  integrations.start();

  const running = opened.move();
  let stopped: Promise<void> | undefined;
  function stop(): Promise<void> {
    isStopping = true;
    stopped ??= running.disposeAsync();
    return stopped;
  }
  return {
    addresses: {
      http: url,
      grpc: `${config.host}:${grpcAddress.port}`,
      database: databasePlace(config, database),
      ...(directoryAddress ? { directoryWebhooks: directoryAddress.url } : {}),
      ...(githubAddress ? { githubWebhooks: githubAddress.url } : {}),
    },
    createLoginLink: () => identity.createLoginLink(),
    agentNames: agentConfigs.map((agent) => agent.name),
    states: () => readState(LOCAL_ORGANIZATION_ID),
    connect: (input, options) => integrations.connect(input, options),
    stop,
  };
}

/** A head that is not signed now is signed after the next start, so a failure holds up nothing. */
async function signHeadsAtStop(audit: Audit, log: Log): Promise<void> {
  try {
    await audit.signHeads({ signal: AbortSignal.timeout(SIGN_MS_MAX) });
  } catch (error) {
    log.warn({ err: error }, "the audit log's ends could not be signed at the stop");
  }
}

function builtinConfig(builtin: Awaited<ReturnType<typeof startBuiltinAgent>>): AgentConfig {
  return {
    name: "builtin",
    endpoint: builtin.endpoint,
    protocol: "stream",
    handles: [],
    priority: 0,
    timeoutMs: BUILTIN_TIMEOUT_MS,
    retryAttempts: 3,
    tls: false,
    token: builtin.token,
  };
}

function toAgentConfig({ token, ...agent }: Config["agents"][number]): AgentConfig {
  return { ...agent, ...(token ? { token } : {}) };
}

function turnSecondsMax(agents: readonly AgentConfig[]): number {
  const chainMs = agents.reduce((sum, agent) => sum + agent.timeoutMs, 0);
  return Math.ceil(chainMs / 1000) + TURN_SPARE_SECONDS;
}

function databasePlace(config: Config, database: OpenDatabase): string {
  const { host, port } = database.connection;
  const place = host ? `${host}:${port}` : "configured";
  return config.database.kind === "embedded"
    ? `embedded PostgreSQL in ${config.home} (${place})`
    : `PostgreSQL at ${place}`;
}
