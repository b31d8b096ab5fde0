import type { TaskUpdate, TurnEvent } from "#gen/infragpt/v1/infragpt_pb.ts";
import { TaskState } from "#gen/infragpt/v1/infragpt_pb.ts";
import { type Terminal, withoutControls } from "./terminal.ts";

export interface Answer {
  conversationId: string;
  messageId: string;
  turnId: string;
  text: string;
  agent: string;
  failure: { readonly message: string; readonly traceId: string } | undefined;
}

const ERASE_LINE = "\r\u001b[K";

/** Writes the answer as it arrives: text to `out`, tasks and failures to `err`, or one JSON line at the end. */
export async function printAnswer(
  events: AsyncIterable<TurnEvent>,
  terminal: Terminal,
  { isJson }: { readonly isJson: boolean },
): Promise<Answer> {
  const answer = emptyAnswer();
  const screen = isJson ? undefined : new Screen(terminal);
  for await (const { event } of events) {
    switch (event.case) {
      case "started":
        Object.assign(answer, idsOf(event.value));
        break;
      case "text":
        answer.text += event.value.text;
        screen?.text(event.value.text);
        break;
      case "task":
        screen?.task(event.value);
        break;
      case "finished":
        screen?.finish(answer.text, event.value.text);
        answer.text = event.value.text;
        answer.agent = event.value.agent;
        break;
      case "failed":
        answer.failure = { message: event.value.message, traceId: event.value.traceId };
        screen?.fail(answer.failure);
        break;
      case undefined:
        // An event of a newer service, which this build does not know.
        break;
    }
  }
  if (isJson) terminal.out(`${JSON.stringify(asJson(answer))}\n`);
  return answer;
}

/** What a person sees: one changing line for the task at hand, and the text under it. */
class Screen {
  readonly #terminal: Terminal;
  #hasTaskLine = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  text(delta: string): void {
    this.#endTaskLine();
    this.#terminal.out(withoutControls(delta));
  }

  task({ title, state, detail }: TaskUpdate): void {
    const line = withoutControls(detail === "" ? title : `${title}: ${detail}`).replaceAll(
      "\n",
      " ",
    );
    if (!this.#terminal.isTty) {
      if (state === TaskState.COMPLETE || state === TaskState.FAILED) {
        this.#terminal.err(`${markOf(state)} ${line}\n`);
      }
      return;
    }
    // Shorter than any terminal: a line that wraps could not be erased.
    this.#terminal.err(`${ERASE_LINE}${markOf(state)} ${line.slice(0, 70)}`);
    this.#hasTaskLine = true;
  }

  /** An agent that does not stream says everything at the end. */
  finish(streamed: string, whole: string): void {
    const rest = whole.startsWith(streamed) ? whole.slice(streamed.length) : `\n\n${whole}`;
    this.text(rest.endsWith("\n") ? rest : `${rest}\n`);
  }

  fail({ message, traceId }: { readonly message: string; readonly traceId: string }): void {
    this.#endTaskLine();
    // The sentence is written for a chat: its mark is an emoji there, and it may end in the trace.
    const said = withoutControls(message).replace(/^:warning:/, "✗");
    const trace = message.includes(traceId) ? "" : ` (trace ${withoutControls(traceId)})`;
    this.#terminal.err(`${said}${trace}\n`);
  }

  #endTaskLine(): void {
    if (this.#hasTaskLine) this.#terminal.err(ERASE_LINE);
    this.#hasTaskLine = false;
  }
}

function markOf(state: TaskState): string {
  if (state === TaskState.COMPLETE) return "✓";
  return state === TaskState.FAILED ? "✗" : "…";
}

function emptyAnswer(): Answer {
  return { conversationId: "", messageId: "", turnId: "", text: "", agent: "", failure: undefined };
}

function idsOf(started: {
  readonly conversationId: string;
  readonly messageId: string;
  readonly turnId: string;
}): Pick<Answer, "conversationId" | "messageId" | "turnId"> {
  const { conversationId, messageId, turnId } = started;
  return { conversationId, messageId, turnId };
}

function asJson({ conversationId, messageId, turnId, text, agent, failure }: Answer): object {
  return {
    conversation_id: conversationId,
    message_id: messageId,
    turn_id: turnId,
    ...(failure === undefined
      ? { text, agent }
      : { error: { message: failure.message, trace_id: failure.traceId } }),
  };
}
