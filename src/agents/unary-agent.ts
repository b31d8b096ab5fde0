import { createGrpcClient } from "#platform";
import { AgentService } from "#gen/original/agent_pb.ts";
import type { Agent } from "./agent.ts";
import { LIMITS } from "./agent.ts";
import { cleanText } from "./clean-text.ts";
import { connectionOptions } from "./connection-options.ts";
import { recentHistory } from "./recent-history.ts";
import { createHealthProbe } from "./probe-health.ts";
import {
  AgentFailure,
  type AgentConfig,
  type TurnAuthor,
  type TurnMessage,
  type TurnRequest,
} from "./model.ts";

/** An agent that serves the original's `agent.AgentService/ProcessMessage`: one request, one answer. */
export function createUnaryAgent(config: AgentConfig): Agent {
  const connection = createGrpcClient(AgentService, connectionOptions(config));
  const probe = createHealthProbe(config);
  return {
    config,
    async attempt(request, emit, { signal, deadline }) {
      const answer = await connection.client.processMessage(toAgentRequest(request), {
        signal,
        deadline,
      });
      if (!answer.success) {
        const reason = cleanText(answer.errorMessage.slice(0, LIMITS.detailCharactersMax));
        throw new AgentFailure("failed", config.name, `the agent says: ${reason || "no reason"}`);
      }
      if (answer.responseText.length > LIMITS.answerCharactersMax) {
        throw new AgentFailure("failed", config.name, "the answer is longer than an answer may be");
      }
      await emit({ kind: "final", agent: config.name, text: cleanText(answer.responseText) });
    },
    findProblem: (options) => probe.findProblem(options),
    close() {
      connection.close();
      probe.close();
    },
  };
}

/** Field by field as contracts.md section 4 says. The context is JSON with the names the original used. */
function toAgentRequest(request: TurnRequest): {
  conversationId: string;
  currentMessage: string;
  pastMessages: { messageId: string; content: string; sender: string; timestamp: string }[];
  context: string;
  userId: string;
  channelId: string;
} {
  const { principal } = request;
  return {
    conversationId: request.conversationId,
    currentMessage: request.message.text,
    pastMessages: recentHistory(request.history).map(toPastMessage),
    context: JSON.stringify({
      surface: principal.surface,
      organization_id: principal.organizationId,
      turn_id: request.turnId,
      trace_id: request.traceId,
      message_id: request.message.messageId,
    }),
    userId: principal.userId,
    channelId: principal.channelId,
  };
}

function toPastMessage({ messageId, text, author, sentAt }: TurnMessage): {
  messageId: string;
  content: string;
  sender: string;
  timestamp: string;
} {
  return { messageId, content: text, sender: senderOf(author), timestamp: sentAt.toISOString() };
}

/** The original knows the agent and users; everyone else is a user to it. */
function senderOf({ kind, id }: TurnAuthor): string {
  return kind === "agent" ? "agent" : `user/${id}`;
}
