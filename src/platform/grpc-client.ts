import type {
  DescMethod,
  DescMethodBiDiStreaming,
  DescMethodClientStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import type { GenService, GenServiceMethods } from "@bufbuild/protobuf/codegenv2";
import type { Secret } from "@infragpt/connector-kit";
import type { Abortable } from "./abort.ts";
import type { Log } from "./log.ts";

export interface GrpcCallOptions extends Abortable {
  /** Travels to the server as `grpc-timeout` and ends the call here. */
  readonly deadline?: Date;
  readonly metadata?: Readonly<Record<string, string>>;
}

type ClientMethod<M> =
  M extends DescMethodUnary<infer I, infer O>
    ? (request: MessageInitShape<I>, options: GrpcCallOptions) => Promise<MessageShape<O>>
    : M extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageInitShape<I>, options: GrpcCallOptions) => AsyncIterable<MessageShape<O>>
      : M extends DescMethodClientStreaming<infer I, infer O>
        ? (
            requests: AsyncIterable<MessageInitShape<I>>,
            options: GrpcCallOptions,
          ) => Promise<MessageShape<O>>
        : M extends DescMethodBiDiStreaming<infer I, infer O>
          ? (
              requests: AsyncIterable<MessageInitShape<I>>,
              options: GrpcCallOptions,
            ) => AsyncIterable<MessageShape<O>>
          : never;

/** Calls one service. Every call throws AppError, and makes one attempt: the caller retries. */
export type GrpcClient<Methods extends GenServiceMethods> = {
  readonly [Name in keyof Methods]: ClientMethod<Methods[Name] & DescMethod>;
};

export interface GrpcClientOptions {
  /** "host:port", "dns:///host:port" or "https://host:port". "[::]:50051" and "0.0.0.0:50051" mean this machine. */
  readonly endpoint: string;
  readonly tls?: boolean;
  /** Sent as `authorization: Bearer …`. */
  readonly token?: Secret;
  readonly log?: Log;
  /** 4 MiB by default. */
  readonly messageBytesMax?: number;
}

export interface GrpcConnection<Methods extends GenServiceMethods> {
  readonly client: GrpcClient<Methods>;
  close(): void;
}

/** Opens a channel lazily: nothing is connected before the first call. */
export declare function createGrpcClient<Methods extends GenServiceMethods>(
  descriptor: GenService<Methods>,
  options: GrpcClientOptions,
): GrpcConnection<Methods>;
