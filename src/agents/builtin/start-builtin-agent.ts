import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import {
  AppError,
  createGrpcServer,
  createIds,
  grpcService,
  Secret,
  type GrpcContext,
  type Log,
  type Principal,
} from "#platform";
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  AgentService,
  TaskState,
  type ConverseRequest,
  type ConverseResponseSchema,
} from "#gen/infragpt/agent/v1/agent_pb.ts";
import type { AgentTask, ServiceState } from "../model.ts";
import { answerQuestion, type Said, type Sources } from "./answer-question.ts";
import type { Machine } from "./machine/model.ts";
import { readMachine } from "./machine/read-machine.ts";

export interface BuiltinAgentOptions {
  /** What the service knows about itself. May throw; the answer then says that it is not available. */
  readState(organizationId: string): Promise<ServiceState>;
  readonly log: Log;
}

export interface BuiltinAgent {
  /** "127.0.0.1:port". */
  readonly endpoint: string;
  /** For the agent's AgentConfig: other users of this machine do not have it. */
  readonly token: Secret;
  /** Waits a moment for running answers. */
  close(): Promise<void>;
}

const CLOSE_GRACE_MS = 1000;
const CALLER: Principal = {
  kind: "local",
  organizationId: "",
  id: "infragpt",
  permissions: new Set(),
};

/** Starts the agent that ships with us, on a free loopback port: an agent like any other, which answers without a model. */
export async function startBuiltinAgent(options: BuiltinAgentOptions): Promise<BuiltinAgent> {
  const { log } = options;
  const token = new Secret(randomBytes(32).toString("base64url"));
  const sources: Sources = {
    readState: logged((organizationId) => options.readState(organizationId), log),
    readMachine: shareReadings(),
  };
  const server = createGrpcServer({
    log,
    host: "127.0.0.1",
    port: 0,
    ids: createIds(),
    services: [
      grpcService(AgentService, {
        converse: (requests, context) => converse(sources, requests, context),
      }),
    ],
    authenticate: async ({ authorization }) =>
      isSame(authorization ?? "", `Bearer ${token.reveal()}`) ? CALLER : undefined,
    isReflectionOn: false,
  });
  const { port } = await server.start();
  return {
    endpoint: `127.0.0.1:${port}`,
    token,
    close: () => server.stop(CLOSE_GRACE_MS),
  };
}

type Response = MessageInitShape<typeof ConverseResponseSchema>;

async function* converse(
  sources: Sources,
  requests: AsyncIterable<ConverseRequest>,
  { signal }: GrpcContext,
): AsyncGenerator<Response> {
  const incoming = requests[Symbol.asyncIterator]();
  const first = await incoming.next();
  if (first.done === true || first.value.message.case !== "start") {
    throw new AppError("invalid_request", "The first message of a turn must be `start`.");
  }
  const cancelled = new AbortController();
  const rest = watchForCancel(incoming, cancelled);
  try {
    const start = first.value.message.value;
    const asked = {
      question: start.message?.text ?? "",
      organizationId: start.principal?.organizationId ?? "",
    };
    const both = AbortSignal.any([signal, cancelled.signal]);
    for await (const said of answerQuestion(sources, asked, { signal: both })) {
      both.throwIfAborted();
      yield toResponse(said);
    }
    // Empty: the deltas together are the answer.
    yield { message: { case: "final", value: { text: "" } } };
  } catch (error) {
    if (!cancelled.signal.aborted) throw error;
  } finally {
    // A caller that keeps its side open has nothing more to say that matters.
    rest.catch(() => undefined);
  }
}

async function watchForCancel(
  incoming: AsyncIterator<ConverseRequest>,
  cancelled: AbortController,
): Promise<void> {
  for (let next = await incoming.next(); next.done !== true; next = await incoming.next()) {
    if (next.value.message.case === "cancel") cancelled.abort();
  }
}

const TASK_STATE = {
  pending: TaskState.PENDING,
  in_progress: TaskState.IN_PROGRESS,
  complete: TaskState.COMPLETE,
  failed: TaskState.FAILED,
} as const satisfies Record<AgentTask["state"], TaskState>;

function toResponse(said: Said): Response {
  if (said.kind === "text") return { message: { case: "textDelta", value: { text: said.text } } };
  const { id, title, state } = said.task;
  return { message: { case: "taskUpdate", value: { id, title, state: TASK_STATE[state] } } };
}

/** Questions that come in together share one reading, so that a busy channel cannot make the machine busy. */
function shareReadings(): Sources["readMachine"] {
  let running: Promise<Machine> | undefined;
  return async function readShared({ signal }): Promise<Machine> {
    running ??= readMachine({ signal: AbortSignal.timeout(10_000) }).finally(() => {
      running = undefined;
    });
    const machine = await running;
    signal.throwIfAborted();
    return machine;
  };
}

function logged(readState: Sources["readState"], log: Log): Sources["readState"] {
  return async function readOrLog(organizationId): Promise<ServiceState> {
    try {
      return await readState(organizationId);
    } catch (error) {
      log.warn({ err: error }, "the service's own state could not be read");
      throw error;
    }
  };
}

/** Takes the same time wherever the two differ. */
function isSame(given: string, expected: string): boolean {
  return timingSafeEqual(digest(given), digest(expected));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
