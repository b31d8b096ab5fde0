import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type {
  sendUnaryData,
  ServerUnaryCall,
  ServiceDefinition,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";

import {
  type AgentRequest,
  AgentRequestSchema,
  type AgentResponse,
  AgentResponseSchema,
} from "#gen/original/agent_pb.ts";

import type { Answer } from "./turn.ts";
import type { RequestFacts, TurnRunner } from "./turn-runner.ts";

export const UNARY_SERVICE: ServiceDefinition = {
  processMessage: {
    path: "/agent.AgentService/ProcessMessage",
    requestStream: false,
    responseStream: false,
    requestSerialize: (message: AgentRequest) => Buffer.from(toBinary(AgentRequestSchema, message)),
    requestDeserialize: (bytes: Buffer) => fromBinary(AgentRequestSchema, bytes),
    responseSerialize: (message: AgentResponse) =>
      Buffer.from(toBinary(AgentResponseSchema, message)),
    responseDeserialize: (bytes: Buffer) => fromBinary(AgentResponseSchema, bytes),
  },
};

/** The original's protocol: one request, one response. */
export function makeUnaryService(runner: TurnRunner): UntypedServiceImplementation {
  return {
    processMessage(
      call: ServerUnaryCall<AgentRequest, AgentResponse>,
      respond: sendUnaryData<AgentResponse>,
    ) {
      const cancelled = new AbortController();
      call.on("cancelled", () => cancelled.abort());
      void runner.run(call, readRequest(call.request), makeAnswer(respond), cancelled.signal);
    },
  };
}

function readRequest(request: AgentRequest): RequestFacts {
  return {
    protocol: "unary",
    conversationId: request.conversationId,
    text: request.currentMessage,
    userId: request.userId,
    channelId: request.channelId,
    traceId: "",
    context: request.context,
    history: request.pastMessages.map(({ messageId, content, sender, timestamp }) => {
      const [author = "", authorId = ""] = sender.split("/");
      return { messageId, text: content, author, authorId, sentAt: timestamp };
    }),
  };
}

function makeAnswer(respond: sendUnaryData<AgentResponse>): Answer {
  let deltas = "";
  const facts = { agentType: "fake", confidence: 0.5, toolsUsed: ["echo"] };
  return {
    delta(text) {
      deltas += text;
    },
    // The original has no plans.
    plan: () => undefined,
    final(text) {
      const responseText = text || deltas;
      respond(null, create(AgentResponseSchema, { success: true, responseText, ...facts }));
    },
    fail(errorMessage) {
      respond(null, create(AgentResponseSchema, { success: false, errorMessage, ...facts }));
    },
    status: (code, details) => respond({ code, details }),
  };
}
