export { deadline, type Abortable } from "./abort.ts";
export { createBatches, succeeded, type Batches } from "./batches.ts";
export { createBreaker, type Breaker, type BreakerOptions, type BreakerState } from "./breaker.ts";
export { systemClock, type Clock } from "./clock.ts";
export {
  createGuardedFetch,
  type GuardedFetch,
  type GuardedFetchOptions,
  type GuardedRequest,
} from "./egress.ts";
export { AppError, asAppError, grpcStatusOf, httpStatusOf, type ErrorCode } from "./errors.ts";
export { createEvents, defineEvent, type Event, type Events } from "./events.ts";
export { killAt, noFailpoint, type Failpoint, type FailpointName } from "./failpoint.ts";
export { createJobs, type JobsConnection, type JobsOptions } from "./jobs-create.ts";
export {
  createGrpcClient,
  type GrpcCallOptions,
  type GrpcClient,
  type GrpcClientOptions,
  type GrpcConnection,
} from "./grpc-client.ts";
export {
  createGrpcServer,
  type GrpcCredentials,
  type GrpcServer,
  type GrpcServerOptions,
} from "./grpc-server.ts";
export {
  grpcService,
  publicGrpcService,
  type GrpcContext,
  type GrpcImplementation,
  type GrpcService,
} from "./grpc-service.ts";
export type { HttpRateLimits } from "./http-rate-limit.ts";
export {
  createHttpServer,
  type HttpCredentials,
  type HttpServer,
  type HttpServerOptions,
} from "./http-server.ts";
export { createIds, isUuid, type Ids } from "./ids.ts";
export {
  RetryLater,
  type DeadJob,
  type Job,
  type Jobs,
  type NewJob,
  type Queue,
  type QueueOptions,
  type QueueState,
  type SqlExecutor,
} from "./jobs.ts";
export {
  KeyringError,
  type KeyProvider,
  type KeyringErrorKind,
  type WrapContext,
} from "./key-provider.ts";
export { awsKmsKeyProvider, type AwsKmsOptions } from "./keyring-aws-kms.ts";
export { gcpKmsKeyProvider, type GcpKmsOptions } from "./keyring-gcp-kms.ts";
export { vaultTransitKeyProvider, type VaultTransitOptions } from "./keyring-vault.ts";
export { createKeyring, type Keyring, type SealContext, type SealedRecord } from "./keyring.ts";
export { envKeyProvider, fileKeyProvider } from "./keyset-provider.ts";
export { openKeysetFile, type KeysetFile, type KeysetKeyState } from "./keyset-file.ts";
export { createLocalKeyset, type LocalKeysetOptions } from "./local-keyset.ts";
export {
  createLog,
  type Log,
  type LogDestination,
  type LogFormat,
  type LogLevel,
  type LogOptions,
} from "./log.ts";
export type { Principal } from "./principal.ts";
export { retry, type RetryOptions } from "./retry.ts";
export {
  route,
  type HttpMethod,
  type RawAnswer,
  type RawRequest,
  type RawRoute,
  type Route,
  type RouteAccess,
  type RouteDefinition,
  type RouteRequest,
} from "./route.ts";
export { createScrubber, type Scrubber } from "./scrubber.ts";
export {
  createServices,
  type Services,
  type ServiceOptions,
  type ServiceState,
} from "./services.ts";
export { traceIdOf } from "./trace-id.ts";
export { Secret } from "@infragpt/connector-kit";
