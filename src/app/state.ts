import type { Agents, ServiceState, StateLine } from "#agents";
import type { OpenDatabase } from "#database";
import type { Integrations } from "#integrations";
import { deadline, type Jobs } from "#platform";

/** A reading that takes longer than this is told as a failure: whoever asks wants an answer now. */
const READ_TIMEOUT_MS = 3_000;

export interface StateSources {
  readonly database: OpenDatabase;
  readonly integrations: Integrations;
  readonly agents: Agents;
  readonly jobs: Jobs;
  /** Connectors that should be listening, and how many links each keeps. */
  readonly expectedLinks: ReadonlyMap<string, number>;
  /** Several organizations share the service: none is told where its parts are or how much others do. */
  readonly isShared: boolean;
}

/**
 * The state of every part and of one organization's connections, for the built-in agent and
 * `/infragpt status`. Never throws.
 */
export async function readServiceState(
  sources: StateSources,
  organizationId: string,
): Promise<ServiceState> {
  const [database, connections, queues] = await Promise.all([
    readDatabase(sources.database),
    orFailure("connections", () => readConnections(sources.integrations, organizationId)),
    orFailure("queues", () => readQueues(sources.jobs)),
  ]);
  return {
    database,
    connections: [...readLinks(sources), ...connections],
    queues: sources.isShared ? queues.map(withoutDetail) : queues,
    agents: sources.isShared
      ? readAgents(sources.agents).map(withoutDetail)
      : readAgents(sources.agents),
  };
}

function withoutDetail({ name, state }: StateLine): StateLine {
  return { name, state, detail: state };
}

/** What the service needs to do its work, for readiness; names no organization's connections. */
export async function readDependencies(
  sources: StateSources,
): Promise<readonly (StateLine & { readonly isNeeded: boolean })[]> {
  const database = await readDatabase(sources.database);
  return [
    { ...database, isNeeded: true },
    ...readLinks(sources).map((line) => ({ ...line, isNeeded: true })),
    // A restart would not bring an agent back: people are told in their thread.
    ...readAgents(sources.agents).map((line) => ({ ...line, isNeeded: false })),
    { name: "encryption keys", state: "ok", detail: "checked at start", isNeeded: true },
  ];
}

async function readDatabase(database: OpenDatabase): Promise<StateLine> {
  try {
    await database.check({ signal: AbortSignal.timeout(READ_TIMEOUT_MS) });
    return { name: "database", state: "ok", detail: "answers" };
  } catch (error) {
    return { name: "database", state: "down", detail: messageOf(error) };
  }
}

async function orFailure(
  name: string,
  read: () => Promise<readonly StateLine[]>,
): Promise<readonly StateLine[]> {
  try {
    const signal = deadline(new AbortController().signal, READ_TIMEOUT_MS);
    const late = new Promise<never>((_, reject) =>
      signal.addEventListener("abort", () => reject(new Error("did not answer in time")), {
        once: true,
      }),
    );
    return await Promise.race([read(), late]);
  } catch (error) {
    return [{ name, state: "down", detail: messageOf(error) }];
  }
}

/** One line for each connector that listens: how many of its links are open. */
function readLinks(
  sources: Pick<StateSources, "integrations" | "expectedLinks">,
): readonly StateLine[] {
  return [...sources.expectedLinks].map(([connectorId, expected]) => {
    const links = [...(sources.integrations.links.get(connectorId)?.values() ?? [])];
    const open = links.filter((link) => link.state === "open").length;
    const trouble = links.find((link) => link.state !== "open" && link.detail)?.detail;
    const name = `${connectorId} sockets`;
    if (open === 0) return { name, state: "down", detail: trouble ?? "not connected yet" };
    const detail = `${open} of ${expected} open`;
    return open < expected ? { name, state: "degraded", detail } : { name, state: "ok", detail };
  });
}

async function readConnections(
  integrations: Integrations,
  organizationId: string,
): Promise<readonly StateLine[]> {
  const list = await integrations.list();
  const own = list.filter((integration) => integration.organizationId === organizationId);
  return own.map(({ connectorId, profile, health }) => ({
    name: `${connectorId}: ${profile.accountName || profile.accountId}`,
    state: health.status === "healthy" ? "ok" : health.status === "unknown" ? "degraded" : "down",
    detail: health.detail ?? health.status,
  }));
}

function readAgents(agents: Agents): readonly StateLine[] {
  return agents.states().map(({ name, health, endpoint, detail }) => ({
    name,
    state: health === "healthy" ? "ok" : health === "unknown" ? "degraded" : "down",
    detail: detail ?? (health === "healthy" ? endpoint : `${health} at ${endpoint}`),
  }));
}

async function readQueues(jobs: Jobs): Promise<readonly StateLine[]> {
  const states = await jobs.states();
  return states.map(({ name, waiting, running, dead }) => ({
    name,
    state: dead > 0 ? "degraded" : "ok",
    detail: `${waiting} waiting, ${running} running, ${dead} parked`,
  }));
}

/** The state as Markdown lines for a chat. */
export function stateAsMarkdown(state: ServiceState): string {
  const marks = {
    ok: ":large_green_circle:",
    degraded: ":large_yellow_circle:",
    down: ":red_circle:",
  } as const;
  function section(title: string, lines: readonly StateLine[]): string {
    const told = lines.map((line) => `${marks[line.state]} ${line.name}: ${line.detail}`);
    return [`*${title}*`, ...(told.length === 0 ? ["none"] : told)].join("\n");
  }
  return [
    section("Connections", state.connections),
    section("Agents", state.agents),
    section("Queues", state.queues),
    section("Database", [state.database]),
  ].join("\n\n");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
