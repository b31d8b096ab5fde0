import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { BackendService } from "#gen/original/backend_pb.ts";
import { InfraGPTService as OriginalInfraGPTService } from "#gen/original/infragpt_pb.ts";
import { AuthorKind, InfraGPTService, TaskState } from "#gen/infragpt/v1/infragpt_pb.ts";
import { AppError, asAppError, grpcService, type GrpcContext, type GrpcService } from "#platform";
import type { Conversations } from "./index.ts";
import type { Author, Message } from "./model.ts";
import type { TurnEvent } from "./turns/turn-events.ts";

const AUTHOR_KINDS: Record<Author["kind"], AuthorKind> = {
  person: AuthorKind.PERSON,
  agent: AuthorKind.AGENT,
  bot: AuthorKind.BOT,
  service: AuthorKind.SERVICE,
};

const TASK_STATES = {
  pending: TaskState.PENDING,
  in_progress: TaskState.IN_PROGRESS,
  complete: TaskState.COMPLETE,
  failed: TaskState.FAILED,
} as const;

type Served = Pick<Conversations, "send" | "watch" | "reply" | "read">;

/** Our own service and the original's two ways to post a reply. */
export function conversationGrpcServices(conversations: Served): readonly GrpcService[] {
  const original = {
    sendReply: (request: OriginalReply, context: GrpcContext) =>
      sendOriginalReply(conversations, request, context),
  };
  return [
    grpcService(InfraGPTService, {
      async sendMessage(request, { principal }) {
        return conversations.send(principal, fromRequest(request));
      },

      async *streamMessage(request, { principal, signal }) {
        const sent = await conversations.send(principal, fromRequest(request));
        yield { event: { case: "started" as const, value: sent } };
        const turn = { organizationId: principal.organizationId, turnId: sent.turnId };
        for await (const event of conversations.watch(turn, { signal }))
          yield { event: toProtoEvent(event) };
      },

      async getConversation(request, { principal }) {
        const page = await conversations.read(principal, {
          conversationId: request.conversationId,
          pageSize: request.pageSize,
          pageToken: request.pageToken,
        });
        const { conversation } = page;
        return {
          id: conversation.id,
          surface: conversation.surface,
          channelId: conversation.channelId ?? "",
          threadId: conversation.threadId ?? "",
          createdAt: timestampFromDate(conversation.createdAt),
          messages: page.messages.map(toProtoMessage),
          nextPageToken: page.nextPageToken,
        };
      },

      async sendReply(request, { principal }) {
        return conversations.reply(principal, {
          conversationId: request.conversationId,
          text: request.text,
          idempotencyKey: request.idempotencyKey || undefined,
        });
      },
    }),
    grpcService(BackendService, original),
    grpcService(OriginalInfraGPTService, original),
  ];
}

interface OriginalReply {
  readonly conversationId: string;
  readonly message: string;
}

/** The original tells failures in its answer, never as a gRPC status. */
async function sendOriginalReply(
  conversations: Served,
  request: OriginalReply,
  { principal }: GrpcContext,
): Promise<{ success: boolean; error: string }> {
  try {
    await conversations.reply(principal, {
      conversationId: request.conversationId,
      text: request.message,
    });
    return { success: true, error: "" };
  } catch (error) {
    const known = asAppError(error);
    // Our own fault is for the log: let the server write it there.
    if (known.code === "internal") throw error;
    return { success: false, error: known.message };
  }
}

function fromRequest(request: { conversationId: string; text: string; idempotencyKey: string }): {
  conversationId: string | undefined;
  text: string;
  idempotencyKey: string | undefined;
} {
  return {
    conversationId: request.conversationId || undefined,
    text: request.text,
    idempotencyKey: request.idempotencyKey || undefined,
  };
}

function toProtoEvent(event: TurnEvent) {
  switch (event.kind) {
    case "text":
      return { case: "text" as const, value: { text: event.text } };
    case "task":
      return {
        case: "task" as const,
        value: {
          ...event.task,
          detail: event.task.detail ?? "",
          state: TASK_STATES[event.task.state],
        },
      };
    case "finished":
      return { case: "finished" as const, value: { text: event.text, agent: event.agent } };
    case "failed":
      return { case: "failed" as const, value: { message: event.message, traceId: event.traceId } };
    case "cancelled":
      throw new AppError("cancelled", "The turn was stopped.");
  }
}

function toProtoMessage(message: Message) {
  const { author } = message;
  return {
    id: message.id,
    text: message.text,
    author: { kind: AUTHOR_KINDS[author.kind], id: author.id, name: author.name ?? "" },
    createdAt: timestampFromDate(message.sentAt),
  };
}
