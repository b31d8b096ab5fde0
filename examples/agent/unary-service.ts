import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type {
  sendUnaryData,
  ServerUnaryCall,
  ServiceDefinition,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";
import {
  AgentRequestSchema,
  AgentResponseSchema,
  type AgentRequest,
  type AgentResponse,
} from "#gen/original/agent_pb.ts";
import { answer } from "./answer.ts";

/** `protocol: unary`, from proto/original/agent.proto. */
export const unaryDefinition: ServiceDefinition = {
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

export const unaryService: UntypedServiceImplementation = {
  processMessage(
    call: ServerUnaryCall<AgentRequest, AgentResponse>,
    respond: sendUnaryData<AgentResponse>,
  ) {
    const cancelled = new AbortController();
    call.on("cancelled", () => cancelled.abort());
    void runTurn(call.request, cancelled.signal).then((response) => respond(null, response));
  },
};

async function runTurn(request: AgentRequest, signal: AbortSignal): Promise<AgentResponse> {
  const question = {
    text: request.currentMessage,
    history: request.pastMessages.map(({ sender, content }) => ({ author: sender, text: content })),
  };
  try {
    const pieces = await Array.fromAsync(answer(question, { signal }));
    return create(AgentResponseSchema, { success: true, responseText: pieces.join("") });
  } catch (error) {
    return create(AgentResponseSchema, { success: false, errorMessage: String(error) });
  }
}
