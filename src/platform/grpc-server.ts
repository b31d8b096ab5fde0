import { createServer, type Server } from "nice-grpc";
import { HealthDefinition, HealthServiceImpl, HealthState } from "nice-grpc-server-health";
import { grpcDefinition } from "./grpc-adapter.ts";
import { createReflection } from "./grpc-reflection.ts";
import type { GrpcService } from "./grpc-service.ts";
import { servedImplementation, type GrpcCallDeps } from "./grpc-serve.ts";
import type { Ids } from "./ids.ts";
import type { Log } from "./log.ts";
import type { Principal } from "./principal.ts";

export interface GrpcCredentials {
  readonly authorization?: string;
  /** Address of the caller, such as "127.0.0.1:52110". */
  readonly peer: string;
}

export interface GrpcServerOptions {
  readonly log: Log;
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly ids: Ids;
  readonly services: readonly GrpcService[];
  /** Says who calls; undefined is answered with UNAUTHENTICATED unless the service is public. */
  readonly authenticate: (credentials: GrpcCredentials) => Promise<Principal | undefined>;
  readonly isReflectionOn: boolean;
  /** 4 MiB by default. */
  readonly messageBytesMax?: number;
}

export interface GrpcServer {
  start(): Promise<{ readonly port: number }>;
  /** Refuses new calls, waits up to `graceMs` for running ones, then cancels them. */
  stop(graceMs: number): Promise<void>;
  /** What `grpc.health.v1` answers: for the whole server, or for one service by its full name. */
  setServing(isServing: boolean, service?: string): void;
}

/** Serves gRPC without TLS, with health always and reflection on demand; neither asks who calls. */
export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  const { host, port, services, isReflectionOn, messageBytesMax = 4 * 1024 * 1024 } = options;
  const server = createServer({
    "grpc.max_receive_message_length": messageBytesMax,
    "grpc.max_send_message_length": messageBytesMax,
    "grpc.max_concurrent_streams": 1000,
    "grpc.max_metadata_size": 16 * 1024,
    // A peer that vanished without a word is noticed within 40 s.
    "grpc.keepalive_time_ms": 30_000,
    "grpc.keepalive_timeout_ms": 10_000,
  });
  const stopping = new AbortController();
  const deps: GrpcCallDeps = { ...options, stopping: stopping.signal };
  const health = HealthState();
  health.setStatus("healthy");
  addHealth(server, health, stopping.signal);
  for (const service of services) {
    health.setStatus("healthy", service.descriptor.typeName);
    server.add(grpcDefinition(service.descriptor), servedImplementation(service, deps));
  }
  if (isReflectionOn) {
    for (const { definition, implementation } of createReflection(services)) {
      server.add(definition, implementation);
    }
  }
  return {
    async start() {
      return { port: await server.listen(`${host.includes(":") ? `[${host}]` : host}:${port}`) };
    },
    async stop(graceMs) {
      health.setStatus("unhealthy");
      for (const { descriptor } of services) health.setStatus("unhealthy", descriptor.typeName);
      await stopWithin(server, graceMs, stopping);
    },
    setServing(isServing, service) {
      health.setStatus(isServing ? "healthy" : "unhealthy", service);
    },
  };
}

function addHealth(server: Server, health: HealthState, stopping: AbortSignal): void {
  const { check, watch } = HealthServiceImpl(health);
  server.add(HealthDefinition, {
    check,
    // A watch lasts as long as its caller likes; without the stop it would hold the server open.
    watch: (request, context) =>
      watch(request, { ...context, signal: AbortSignal.any([context.signal, stopping]) }),
  });
}

async function stopWithin(
  server: Server,
  graceMs: number,
  stopping: AbortController,
): Promise<void> {
  const drained = server.shutdown();
  const timer = setTimeout(() => {
    stopping.abort();
    server.forceShutdown();
  }, graceMs);
  try {
    await drained;
  } finally {
    clearTimeout(timer);
    stopping.abort();
  }
}
