import type { GrpcService } from "./grpc-service.ts";
import type { Log } from "./log.ts";
import type { Ids } from "./ids.ts";
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
  authenticate(credentials: GrpcCredentials): Promise<Principal | undefined>;
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
