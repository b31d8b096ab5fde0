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
}

/** Reads the state of every part, for readiness, the built-in agent and `/infragpt status`. Never throws. */
export async function readServiceState(sources: StateSources): Promise<ServiceState> {
  const [database, connections, queues] = await Promise.all([
    readDatabase(sources.database),
    orFailure("connections", () => readConnections(sources.integrations)),
    orFailure("queues", () => readQueues(sources.jobs)),
  ]);
  return {
    database,
    connections: [...readLinks(sources), ...connections],
    queues,
    agents: readAgents(sources.agents),
  };
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
export function readLinks(
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

async function readConnections(integrations: Integrations): Promise<readonly StateLine[]> {
  const list = await integrations.list();
  return list.map(({ connectorId, profile, health }) => ({
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
