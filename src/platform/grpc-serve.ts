import { type Message, type MessageInitShape, type DescMessage } from "@bufbuild/protobuf";
import type { CallContext, ServiceImplementation } from "nice-grpc";
import type { ServiceDefinition } from "nice-grpc";
import { AppError, asAppError } from "./errors.ts";
import { asServerError } from "./grpc-errors.ts";
import type { GrpcContext, GrpcService } from "./grpc-service.ts";
import type { Ids } from "./ids.ts";
import type { Log } from "./log.ts";
import type { Principal } from "./principal.ts";
import { traceIdOf } from "./trace-id.ts";

export interface GrpcCallDeps {
  readonly log: Log;
  readonly ids: Ids;
  readonly authenticate: (credentials: {
    readonly authorization?: string;
    readonly peer: string;
  }) => Promise<Principal | undefined>;
  /** Aborts when the server ends the calls that still run. */
  readonly stopping: AbortSignal;
}

type Request = Message | AsyncIterable<Message>;
type Response = MessageInitShape<DescMessage>;
type Handler<Answer> = (request: Request, context: GrpcContext<Principal | undefined>) => Answer;

/** Puts around each method what all calls share: who calls, a trace id, one error table, one log line. */
export function servedImplementation(
  { descriptor, isPublic, implementation }: GrpcService,
  deps: GrpcCallDeps,
): ServiceImplementation<ServiceDefinition> {
  const served: Record<string, unknown> = {};
  for (const { localName, methodKind } of descriptor.methods) {
    const facts: CallKind = { method: `${descriptor.typeName}/${localName}`, isPublic };
    const isSingle = methodKind === "unary" || methodKind === "client_streaming";
    served[localName] = isSingle
      ? single(deps, facts, handlerOf<Promise<Response>>(implementation, localName))
      : streaming(deps, facts, handlerOf<AsyncIterable<Response>>(implementation, localName));
  }
  // Built from the same descriptor as the definition it is added with.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return served as ServiceImplementation<ServiceDefinition>;
}

function handlerOf<Answer>(implementation: object, name: string): Handler<Answer> {
  const handler: unknown = Reflect.get(implementation, name);
  if (!isHandler<Answer>(handler)) throw new TypeError(`${name} has no implementation.`);
  return handler.bind(implementation);
}

/** grpcService() has checked the types of the implementation against the descriptor. */
function isHandler<Answer>(value: unknown): value is Handler<Answer> {
  return typeof value === "function";
}

interface CallKind {
  readonly method: string;
  readonly isPublic: boolean;
}

function single(
  deps: GrpcCallDeps,
  kind: CallKind,
  handle: Handler<Promise<Response>>,
): (request: Request, call: CallContext) => Promise<Response> {
  return async function answer(request, call) {
    const running = beginCall(deps, kind, call);
    try {
      const answered = await handle(request, await running.context());
      running.succeeded();
      return answered;
    } catch (error) {
      throw running.failed(error);
    }
  };
}

function streaming(
  deps: GrpcCallDeps,
  kind: CallKind,
  handle: Handler<AsyncIterable<Response>>,
): (request: Request, call: CallContext) => AsyncIterable<Response> {
  return async function* answer(request, call) {
    const running = beginCall(deps, kind, call);
    try {
      yield* handle(request, await running.context());
      running.succeeded();
    } catch (error) {
      throw running.failed(error);
    }
  };
}

interface RunningCall {
  /** Throws AppError when the caller may not. */
  context(): Promise<GrpcContext<Principal | undefined>>;
  succeeded(): void;
  failed(error: unknown): Error;
}

function beginCall(
  deps: GrpcCallDeps,
  { method, isPublic }: CallKind,
  call: CallContext,
): RunningCall {
  const { log, ids, stopping } = deps;
  const startedMs = performance.now();
  const traceId = traceIdOf(ids());
  const signal = AbortSignal.any([call.signal, stopping]);
  call.trailer.set("trace-id", traceId);

  function facts(): object {
    return {
      method,
      traceId,
      peer: call.peer,
      durationMs: Math.round(performance.now() - startedMs),
    };
  }

  return {
    async context() {
      const authorization = call.metadata.get("authorization");
      const principal = await deps.authenticate({
        peer: call.peer,
        ...(authorization === undefined ? {} : { authorization }),
      });
      if (!principal && !isPublic) {
        throw new AppError(
          "unauthenticated",
          "Say who you are: send the metadata `authorization: Bearer <token>`.",
        );
      }
      const metadata = { get: (name: string) => textOf(call.metadata.get(name)) };
      return { principal, signal, peer: call.peer, traceId, metadata };
    },
    succeeded() {
      log.debug(facts(), "grpc call answered");
    },
    failed(error) {
      if (signal.aborted && !(error instanceof AppError)) {
        log.debug(facts(), "grpc call cancelled");
        return asServerError(new AppError("cancelled", "The call was cancelled."), traceId);
      }
      const shown = asAppError(error);
      if (shown.code === "internal") log.error({ ...facts(), err: error }, "grpc call failed");
      else log.debug({ ...facts(), code: shown.code, reason: shown.message }, "grpc call refused");
      return asServerError(shown, traceId);
    },
  };
}

function textOf(value: string | Uint8Array | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}
