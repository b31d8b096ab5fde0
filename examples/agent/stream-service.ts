import { create, fromBinary, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import type {
  ServerDuplexStream,
  ServiceDefinition,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";
import {
  AuthorKind,
  ConverseRequestSchema,
  ConverseResponseSchema,
  type ConverseRequest,
  type ConverseResponse,
  type Start,
} from "#gen/infragpt/agent/v1/agent_pb.ts";
import { answer } from "./answer.ts";

type Call = ServerDuplexStream<ConverseRequest, ConverseResponse>;
type Reply = NonNullable<MessageInitShape<typeof ConverseResponseSchema>["message"]>;

/** `protocol: stream`, from proto/infragpt/agent/v1/agent.proto. */
export const streamDefinition: ServiceDefinition = {
  converse: {
    path: "/infragpt.agent.v1.AgentService/Converse",
    requestStream: true,
    responseStream: true,
    requestSerialize: (message: ConverseRequest) =>
      Buffer.from(toBinary(ConverseRequestSchema, message)),
    requestDeserialize: (bytes: Buffer) => fromBinary(ConverseRequestSchema, bytes),
    responseSerialize: (message: ConverseResponse) =>
      Buffer.from(toBinary(ConverseResponseSchema, message)),
    responseDeserialize: (bytes: Buffer) => fromBinary(ConverseResponseSchema, bytes),
  },
};

export const streamService: UntypedServiceImplementation = {
  converse(call: Call) {
    const cancelled = new AbortController();
    call.on("cancelled", () => cancelled.abort());
    call.on("error", () => cancelled.abort());
    call.on("data", ({ message }: ConverseRequest) => {
      if (message.case === "start") void runTurn(call, message.value, cancelled.signal);
      // Somebody stopped the turn: end soon, or the call is cut.
      if (message.case === "cancel") cancelled.abort();
    });
  },
};

async function runTurn(call: Call, start: Start, signal: AbortSignal): Promise<void> {
  const question = {
    text: start.message?.text ?? "",
    history: start.history.map(({ author, text }) => ({
      author: author?.kind === AuthorKind.AGENT ? "agent" : (author?.name ?? ""),
      text,
    })),
  };
  try {
    for await (const text of answer(question, { signal })) {
      write(call, { case: "textDelta", value: { text } });
    }
    // An empty final says: the deltas together are the answer.
    write(call, { case: "final", value: { text: "" } });
  } catch (error) {
    const message = signal.aborted ? "the turn was stopped" : String(error);
    write(call, { case: "error", value: { message, isRetryable: false } });
  }
  call.end();
}

function write(call: Call, message: Reply): void {
  if (!call.cancelled) call.write(create(ConverseResponseSchema, { message }));
}
