import type { Server } from "node:net";
import {
  createGrpcServer,
  createIds,
  createLog,
  createScrubber,
  type GrpcService,
  type Log,
} from "#platform";
import type { AgentConfig, AgentEvent, TurnRequest } from "./model.ts";

/** A log that a test can read. */
export function memoryLog(): { readonly log: Log; readonly lines: string[] } {
  const lines: string[] = [];
  const log = createLog({
    level: "debug",
    format: "json",
    scrubber: createScrubber(),
    destination: { write: (line) => void lines.push(line) },
  });
  return { log, lines };
}

export function aConfig(endpoint: string, overrides: Partial<AgentConfig> = {}): AgentConfig {
  return {
    name: "default",
    endpoint,
    protocol: "stream",
    handles: [],
    priority: 0,
    timeoutMs: 10_000,
    retryAttempts: 0,
    tls: false,
    ...overrides,
  };
}

export function aRequest(text = "why is checkout slow?"): TurnRequest {
  const ann = { kind: "person", id: "U1", name: "Ann" } as const;
  return {
    conversationId: "conversation-1",
    turnId: "turn-1",
    traceId: "abc123",
    message: { messageId: "m3", text, author: ann, sentAt: new Date("2026-11-23T08:00:02.500Z") },
    history: [
      { messageId: "m1", text: "hello", author: ann, sentAt: new Date("2026-11-23T08:00:00Z") },
      {
        messageId: "m2",
        text: "Hello Ann.",
        author: { kind: "agent", id: "default" },
        sentAt: new Date("2026-11-23T08:00:01Z"),
      },
    ],
    principal: { organizationId: "org-1", userId: "U1", surface: "slack", channelId: "C1" },
  };
}

export interface TestServer extends AsyncDisposable {
  readonly endpoint: string;
  readonly port: number;
}

/** A real server on loopback with these services, open to everyone. */
export async function serve(services: readonly GrpcService[], port = 0): Promise<TestServer> {
  const server = createGrpcServer({
    log: memoryLog().log,
    host: "127.0.0.1",
    port,
    ids: createIds(),
    services,
    authenticate: async () => undefined,
    isReflectionOn: false,
  });
  const started = await server.start();
  return {
    endpoint: `127.0.0.1:${started.port}`,
    port: started.port,
    [Symbol.asyncDispose]: () => server.stop(0),
  };
}

export async function collect(events: AsyncIterable<AgentEvent>): Promise<AgentEvent[]> {
  const all: AgentEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

/** The text of the final event. */
export function finalText(events: readonly AgentEvent[]): string | undefined {
  return events.find((event) => event.kind === "final")?.text;
}

/** The port a server of Node's own listens on. */
export function portOf(server: Pick<Server, "address">): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("listens on no port");
  return address.port;
}
