import { createGrpcClient, type Abortable } from "#platform";
import { AgentService, type ConverseResponse } from "#gen/infragpt/agent/v1/agent_pb.ts";
import { LIMITS, type Agent, type Emit } from "./agent.ts";
import { cleanLine, cleanText } from "./clean-text.ts";
import { connectionOptions } from "./connection-options.ts";
import {
  cancelMessage,
  refusalMessage,
  startMessage,
  toPlan,
  toTask,
  toUsage,
  type ConverseMessage,
} from "./converse-messages.ts";
import { AgentFailure, type AgentConfig } from "./model.ts";
import { createOutgoing, type Outgoing } from "./outgoing.ts";
import { createHealthProbe } from "./probe-health.ts";

/** How long a cancelled agent may take to end the call itself before it is cut. */
const CANCEL_GRACE_MS = 250;
/** How long an agent may clean up between its `final` and the end of its stream. */
const FINISH_GRACE_MS = 500;

/** An agent that serves `infragpt.agent.v1.AgentService/Converse`. */
export function createGrpcAgent(config: AgentConfig): Agent {
  const connection = createGrpcClient(AgentService, connectionOptions(config));
  const probe = createHealthProbe(config);
  return {
    config,
    async attempt(request, emit, { signal, deadline }) {
      signal.throwIfAborted();
      const outgoing = createOutgoing<ConverseMessage>();
      using call = cancellableCall(outgoing, { signal });
      outgoing.push(startMessage(request, deadline));
      const answer = connection.client.converse(outgoing, { signal: call.signal, deadline });
      const frames = answer[Symbol.asyncIterator]();
      try {
        await readAnswer({ agent: config.name, frames, outgoing, emit, signal });
        outgoing.end();
        await letFinish(frames, call);
      } finally {
        outgoing.end();
        call.cut();
        await leave(frames);
        signal.throwIfAborted();
      }
    },
    findProblem: (options) => probe.findProblem(options),
    close() {
      connection.close();
      probe.close();
    },
  };
}

interface Call extends Abortable, Disposable {
  /** Ends the call at once; harmless when it has ended. */
  cut(): void;
}

/**
 * The signal of the call, which aborts a little after `signal`: the agent first reads a `cancel`
 * message and may end in its own way, then the call is cut.
 */
function cancellableCall(outgoing: Outgoing<ConverseMessage>, { signal }: Abortable): Call {
  const call = new AbortController();
  let timer: NodeJS.Timeout | undefined;

  function onAbort(): void {
    outgoing.push(cancelMessage());
    outgoing.end();
    timer = setTimeout(() => call.abort(signal.reason), CANCEL_GRACE_MS);
  }

  signal.addEventListener("abort", onAbort, { once: true });
  return {
    signal: call.signal,
    cut: () => call.abort(signal.reason),
    [Symbol.dispose]() {
      signal.removeEventListener("abort", onAbort);
      clearTimeout(timer);
    },
  };
}

/** The answer is complete: what still comes, or goes wrong, changes nothing. */
async function letFinish(frames: AsyncIterator<ConverseResponse>, call: Call): Promise<void> {
  const timer = setTimeout(() => call.cut(), FINISH_GRACE_MS);
  try {
    for (let left = LIMITS.operationsMax; left > 0; left -= 1) {
      if ((await frames.next()).done === true) return;
    }
  } catch {
    // An agent that fails after its answer has answered.
  } finally {
    clearTimeout(timer);
  }
}

/** Releases what the call still holds, such as the timer of its deadline. */
async function leave(frames: AsyncIterator<ConverseResponse>): Promise<void> {
  try {
    await frames.return?.();
  } catch {
    // The call was cut, so its end is an error that nobody needs.
  }
}

interface Answer {
  readonly agent: string;
  readonly frames: AsyncIterator<ConverseResponse>;
  readonly outgoing: Outgoing<ConverseMessage>;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/** Reads frames up to `final`, `error` or the end of the stream. Text without a `final` is an answer; nothing is a failure. */
async function readAnswer({ agent, frames, outgoing, emit, signal }: Answer): Promise<void> {
  let text = "";
  let framesLeft = LIMITS.framesMax;
  let operationsLeft = LIMITS.operationsMax;
  for (let next = await frames.next(); next.done !== true; next = await frames.next()) {
    if (signal.aborted) return;
    const { message } = next.value;
    if (framesLeft-- <= 0) throw broken(agent, "it sent too many messages");
    switch (message.case) {
      case "textDelta": {
        const delta = cleanText(message.value.text);
        text = appendBounded(agent, text, delta);
        if (delta !== "") await emit({ kind: "text", text: delta });
        break;
      }
      case "planUpdate":
        await emit(toPlan(message.value));
        break;
      case "taskUpdate": {
        const task = toTask(message.value);
        if (task !== undefined) await emit({ kind: "task", task });
        break;
      }
      case "operationRequest":
        if (operationsLeft-- <= 0) throw broken(agent, "it asked for too many operations");
        outgoing.push(refusalMessage(message.value.requestId.slice(0, 200)));
        break;
      case "usage":
        await emit(toUsage(message.value));
        break;
      case "final": {
        const whole = appendBounded(agent, "", cleanText(message.value.text)) || text;
        await emit({ kind: "final", agent, text: mustSay(agent, whole) });
        return;
      }
      case "error": {
        const reason = cleanLine(message.value.message, LIMITS.detailCharactersMax);
        throw new AgentFailure("failed", agent, `the agent says: ${reason || "no reason"}`);
      }
      case undefined:
        throw broken(agent, "it sent a message without content");
    }
  }
  if (signal.aborted) return;
  await emit({ kind: "final", agent, text: mustSay(agent, text) });
}

function appendBounded(agent: string, text: string, more: string): string {
  if (text.length + more.length > LIMITS.answerCharactersMax) {
    throw broken(agent, `its answer is longer than ${LIMITS.answerCharactersMax} characters`);
  }
  return text + more;
}

function mustSay(agent: string, text: string): string {
  if (text.trim() === "") throw broken(agent, "it ended without an answer");
  return text;
}

function broken(agent: string, what: string): AgentFailure {
  return new AgentFailure("failed", agent, `the agent broke the protocol: ${what}`);
}
