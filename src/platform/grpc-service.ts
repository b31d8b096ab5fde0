import type {
  DescMethod,
  DescMethodBiDiStreaming,
  DescMethodClientStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import type { GenService, GenServiceMethods } from "@bufbuild/protobuf/codegenv2";
import type { Abortable } from "./abort.ts";
import type { Principal } from "./principal.ts";

export interface GrpcContext<Caller = Principal> extends Abortable {
  readonly principal: Caller;
  /** Address of the caller, such as "127.0.0.1:52110". */
  readonly peer: string;
  /** Short id that is in our log and in the error the caller gets. */
  readonly traceId: string;
  readonly metadata: { get(name: string): string | undefined };
}

type GrpcMethod<M, Caller> =
  M extends DescMethodUnary<infer I, infer O>
    ? (request: MessageShape<I>, context: GrpcContext<Caller>) => Promise<MessageInitShape<O>>
    : M extends DescMethodServerStreaming<infer I, infer O>
      ? (
          request: MessageShape<I>,
          context: GrpcContext<Caller>,
        ) => AsyncIterable<MessageInitShape<O>>
      : M extends DescMethodClientStreaming<infer I, infer O>
        ? (
            requests: AsyncIterable<MessageShape<I>>,
            context: GrpcContext<Caller>,
          ) => Promise<MessageInitShape<O>>
        : M extends DescMethodBiDiStreaming<infer I, infer O>
          ? (
              requests: AsyncIterable<MessageShape<I>>,
              context: GrpcContext<Caller>,
            ) => AsyncIterable<MessageInitShape<O>>
          : never;

/** What a service's code looks like: one function for each method of the proto file. */
export type GrpcImplementation<Methods extends GenServiceMethods, Caller = Principal> = {
  readonly [Name in keyof Methods]: GrpcMethod<Methods[Name] & DescMethod, Caller>;
};

/** A service ready to be served. */
export interface GrpcService {
  readonly descriptor: DescService;
  readonly isPublic: boolean;
  readonly implementation: object;
}

/** Pairs a generated service with its code; callers need a principal. Throw AppError for what the caller did wrongly. */
export function grpcService<Methods extends GenServiceMethods>(
  descriptor: GenService<Methods>,
  implementation: GrpcImplementation<Methods>,
): GrpcService {
  return { descriptor, implementation, isPublic: false };
}

/** The same for a service that anyone who reaches the port may call: `principal` may be undefined. */
export function publicGrpcService<Methods extends GenServiceMethods>(
  descriptor: GenService<Methods>,
  implementation: GrpcImplementation<Methods, Principal | undefined>,
): GrpcService {
  return { descriptor, implementation, isPublic: true };
}
