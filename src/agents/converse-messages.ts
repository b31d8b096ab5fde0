import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  AuthorKind,
  TaskState,
  type ConverseRequestSchema,
  type PlanUpdate,
  type TaskUpdate,
  type Usage,
} from "#gen/infragpt/agent/v1/agent_pb.ts";
import { LIMITS } from "./agent.ts";
import { cleanLine } from "./clean-text.ts";
import { recentHistory } from "./recent-history.ts";
import type { AgentEvent, AgentTask, TurnAuthor, TurnMessage, TurnRequest } from "./model.ts";

export type ConverseMessage = MessageInitShape<typeof ConverseRequestSchema>;

const AUTHOR_KIND = {
  person: AuthorKind.PERSON,
  agent: AuthorKind.AGENT,
  bot: AuthorKind.BOT,
  service: AuthorKind.SERVICE,
} as const satisfies Record<TurnAuthor["kind"], AuthorKind>;

/** The first message of a turn. */
export function startMessage(request: TurnRequest, deadline: Date): ConverseMessage {
  return {
    message: {
      case: "start",
      value: {
        conversationId: request.conversationId,
        turnId: request.turnId,
        traceId: request.traceId,
        message: toMessage(request.message),
        history: recentHistory(request.history).map(toMessage),
        principal: { ...request.principal },
        operations: [],
        limits: {
          deadline: timestampFromDate(deadline),
          operationsMax: LIMITS.operationsMax,
          answerCharactersMax: LIMITS.answerCharactersMax,
        },
      },
    },
  };
}

function toMessage({ messageId, text, author, sentAt }: TurnMessage): {
  messageId: string;
  text: string;
  author: { kind: AuthorKind; id: string; name: string };
  sentAt: ReturnType<typeof timestampFromDate>;
} {
  return {
    messageId,
    text,
    author: { kind: AUTHOR_KIND[author.kind], id: author.id, name: author.name ?? "" },
    sentAt: timestampFromDate(sentAt),
  };
}

export function cancelMessage(): ConverseMessage {
  return { message: { case: "cancel", value: { reason: "the turn was cancelled" } } };
}

/** The catalogue of a turn is empty, so every request is refused. */
export function refusalMessage(requestId: string): ConverseMessage {
  const refusal = { code: "denied", message: "no operations available" };
  return {
    message: {
      case: "operationResult",
      value: { requestId, outcome: { case: "refusal", value: refusal } },
    },
  };
}

const TASK_STATE = new Map<number, AgentTask["state"]>([
  [TaskState.PENDING, "pending"],
  [TaskState.IN_PROGRESS, "in_progress"],
  [TaskState.COMPLETE, "complete"],
  [TaskState.FAILED, "failed"],
]);

/** Undefined for a task that cannot be told from others. */
export function toTask({ id, title, state, detail }: TaskUpdate): AgentTask | undefined {
  const name = cleanLine(id, LIMITS.titleCharactersMax);
  if (name === "") return undefined;
  return {
    id: name,
    title: cleanLine(title, LIMITS.titleCharactersMax) || name,
    state: TASK_STATE.get(state) ?? "pending",
    detail: cleanLine(detail, LIMITS.detailCharactersMax) || undefined,
  };
}

export function toPlan({ title, tasks }: PlanUpdate): AgentEvent {
  return {
    kind: "plan",
    title: cleanLine(title, LIMITS.titleCharactersMax),
    tasks: tasks
      .slice(0, LIMITS.planTasksMax)
      .map(toTask)
      .filter((task) => task !== undefined),
  };
}

export function toUsage({ model, inputTokens, outputTokens, costMicroUsd }: Usage): AgentEvent {
  return {
    kind: "usage",
    model: cleanLine(model, LIMITS.titleCharactersMax),
    inputTokens: toCount(inputTokens),
    outputTokens: toCount(outputTokens),
    costMicroUsd: toCount(costMicroUsd),
  };
}

/** An agent's claim, kept within what adds up exactly. */
function toCount(value: bigint): number {
  if (value < 0n) return 0;
  return Number(value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : value);
}
