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
import {
  type CallOptions,
  ChannelCredentials,
  type ClientMiddlewareCall,
  createChannel,
  createClientFactory,
  Metadata,
} from "nice-grpc";
import type { Abortable } from "./abort.ts";
import { grpcDefinition } from "./grpc-adapter.ts";
import { asCallError } from "./grpc-errors.ts";

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
  /** 4 MiB by default. */
  readonly messageBytesMax?: number;
}

export interface GrpcConnection<Methods extends GenServiceMethods> {
  readonly client: GrpcClient<Methods>;
  /** Running calls end as cancelled. */
  close(): void;
}

/** Opens a channel lazily: nothing is connected before the first call. */
export function createGrpcClient<Methods extends GenServiceMethods>(
  descriptor: GenService<Methods>,
  options: GrpcClientOptions,
): GrpcConnection<Methods> {
  const { endpoint, tls = endpoint.startsWith("https://"), token } = options;
  const { messageBytesMax = 4 * 1024 * 1024 } = options;
  const channel = createChannel(
    dialable(endpoint),
    tls ? ChannelCredentials.createSsl() : ChannelCredentials.createInsecure(),
    {
      "grpc.keepalive_time_ms": 30_000,
      "grpc.keepalive_timeout_ms": 10_000,
      "grpc.keepalive_permit_without_calls": 1,
      "grpc.max_receive_message_length": messageBytesMax,
      "grpc.max_send_message_length": messageBytesMax,
      // Retries belong to the caller, who knows what may run twice.
      "grpc.enable_retries": 0,
      // The default grows to 2 minutes: an agent that came back would stay unreachable that long.
      "grpc.max_reconnect_backoff_ms": 5000,
      "grpc.initial_reconnect_backoff_ms": 250,
    },
  );

  async function* callOnce<Request, Response>(
    call: ClientMiddlewareCall<Request, Response>,
    { deadline, signal, metadata, ...rest }: CallOptions & { readonly deadline?: Date },
  ): AsyncGenerator<Response, Response | void, undefined> {
    const outer = signal ?? new AbortController().signal;
    const sent = Metadata(metadata);
    if (token) sent.set("authorization", `Bearer ${token.reveal()}`);
    // nice-grpc's own deadline ends the call here only; the header tells the server as well.
    if (deadline) sent.set("grpc-timeout", timeoutHeader(deadline));
    using timer = abortAt(outer, deadline);
    try {
      return yield* call.next(call.request, { ...rest, metadata: sent, signal: timer.signal });
    } catch (error) {
      throw asCallError(error, { endpoint, signal: outer, deadline });
    }
  }

  const client = createClientFactory()
    .use<{ deadline: Date }>(callOnce)
    .create(grpcDefinition(descriptor), channel);
  // The definition was made from this very descriptor, whose types these are.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return { client: client as unknown as GrpcClient<Methods>, close: () => channel.close() };
}

/** Milliseconds, at most eight digits: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md (2026-11). */
function timeoutHeader(deadline: Date): string {
  const leftMs = deadline.getTime() - Date.now();
  return `${Math.min(99_999_999, Math.max(1, Math.ceil(leftMs)))}m`;
}

/** setTimeout fires at once for longer delays. */
const TIMER_MS_MAX = 2_147_483_647;

/** Aborts with `outer` or at the deadline; disposing it leaves no timer and no listener behind. */
function abortAt(
  outer: AbortSignal,
  deadline: Date | undefined,
): Disposable & { readonly signal: AbortSignal } {
  const aborter = new AbortController();
  function abort(): void {
    aborter.abort();
  }
  if (outer.aborted) abort();
  outer.addEventListener("abort", abort, { once: true });
  const leftMs = deadline ? Math.max(0, deadline.getTime() - Date.now()) : undefined;
  const timer =
    leftMs === undefined ? undefined : setTimeout(abort, Math.min(leftMs, TIMER_MS_MAX));
  return {
    signal: aborter.signal,
    [Symbol.dispose](): void {
      clearTimeout(timer);
      outer.removeEventListener("abort", abort);
    },
  };
}

/** What servers listen on is not what clients dial: "every address" means this machine. */
function dialable(endpoint: string): string {
  return endpoint
    .replace(/^(https?:\/\/)?(?:\[::\]|0\.0\.0\.0)?:(\d+)$/, "$1localhost:$2")
    .replace(/^dns:\/\/\/(?:\[::\]|0\.0\.0\.0):(\d+)$/, "dns:///localhost:$1");
}
