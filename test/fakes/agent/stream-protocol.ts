import { type MessageInitShape, create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import type {
  ServerDuplexStream,
  ServiceDefinition,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";

import {
  type Author,
  AuthorKind,
  type ConverseRequest,
  ConverseRequestSchema,
  type ConverseResponse,
  ConverseResponseSchema,
  type Start,
  TaskState,
} from "#gen/infragpt/agent/v1/agent_pb.ts";

import type { Answer } from "./turn.ts";
import type { RequestFacts, TurnRunner } from "./turn-runner.ts";

type Init = NonNullable<MessageInitShape<typeof ConverseResponseSchema>["message"]>;
type ConverseCall = ServerDuplexStream<ConverseRequest, ConverseResponse>;

export const STREAM_SERVICE: ServiceDefinition = {
  converse: {
    path: "/infragpt.agent.v1.AgentService/Converse",
    requestStream: true,
    responseStream: true,
    requestSerialize: (message: ConverseRequest) =>
      encode(toBinary(ConverseRequestSchema, message)),
    requestDeserialize: (bytes: Buffer) => fromBinary(ConverseRequestSchema, bytes),
    responseSerialize: (message: ConverseResponse) =>
      encode(toBinary(ConverseResponseSchema, message)),
    responseDeserialize: (bytes: Buffer) => fromBinary(ConverseResponseSchema, bytes),
  },
};

/** Our own protocol: the first message is `start`. */
export function makeStreamService(runner: TurnRunner): UntypedServiceImplementation {
  return {
    converse(call: ConverseCall) {
      const cancelled = new AbortController();
      call.on("cancelled", () => cancelled.abort());
      call.on("error", () => cancelled.abort());
      call.on("data", ({ message }: ConverseRequest) => {
        if (message.case === "cancel") {
          cancelled.abort();
          makeAnswer(call).fail("the turn was cancelled", { isRetryable: false });
        }
        if (message.case !== "start") return;
        const facts = readStart(message.value);
        void runner.run(call, facts, makeAnswer(call), cancelled.signal);
      });
    },
  };
}

function readStart(start: Start): RequestFacts {
  return {
    protocol: "stream",
    conversationId: start.conversationId,
    text: start.message?.text ?? "",
    userId: start.principal?.userId ?? "",
    channelId: start.principal?.channelId ?? "",
    traceId: start.traceId,
    context: "",
    history: start.history.map(({ messageId, text, author, sentAt }) => ({
      messageId,
      text,
      author: authorKind(author),
      authorId: author?.id ?? "",
      sentAt: sentAt ? timestampDate(sentAt).toISOString() : "",
    })),
  };
}

function authorKind(author: Author | undefined): string {
  const names = Object.entries(AuthorKind);
  const [name = "UNSPECIFIED"] = names.find(([, kind]) => kind === author?.kind) ?? [];
  return name.toLowerCase();
}

function makeAnswer(call: ConverseCall): Answer {
  function write(message: Init): void {
    if (!call.cancelled) call.write(create(ConverseResponseSchema, { message }));
  }
  return {
    delta: (text) => write({ case: "textDelta", value: { text } }),
    plan(title, tasks) {
      const states = tasks.map(({ id, isComplete }) => ({
        id,
        title: `Check the ${id}`,
        state: isComplete ? TaskState.COMPLETE : TaskState.IN_PROGRESS,
      }));
      write({ case: "planUpdate", value: { title, tasks: states } });
    },
    final(text) {
      write({ case: "final", value: { text } });
      call.end();
    },
    fail(message, { isRetryable }) {
      write({ case: "error", value: { message, isRetryable } });
      call.end();
    },
    status: (code, details) => call.emit("error", { code, details }),
  };
}

function encode(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
