import type { Abortable } from "#platform";
import type { AgentTask, ServiceState } from "../model.ts";
import { helpAnswer, unknownAnswer } from "./help-answers.ts";
import { findIntent } from "./intents.ts";
import { answerFromMachine } from "./machine-answers.ts";
import type { Machine } from "./machine/model.ts";
import { answerFromState } from "./service-answers.ts";

/** What the built-in agent may look at. */
export interface Sources {
  /** What the organization may know of the service. */
  readState(organizationId: string): Promise<ServiceState>;
  readMachine(options: Abortable): Promise<Machine>;
}

export type Said =
  | { readonly kind: "task"; readonly task: AgentTask }
  | { readonly kind: "text"; readonly text: string };

const STATE_TIMEOUT_MS = 5000;

/** Answers one question in Markdown, block by block, telling what it looks at on the way. */
export async function* answerQuestion(
  sources: Sources,
  { question, organizationId }: { readonly question: string; readonly organizationId: string },
  { signal }: Abortable,
): AsyncGenerator<Said> {
  const intent = findIntent(question);
  if (intent.kind === "help") yield* blocks(helpAnswer());
  else if (intent.kind === "unknown") yield* blocks(unknownAnswer());
  else if (intent.kind === "state") yield* describeState(sources, question, organizationId, signal);
  else {
    yield task("machine", "Read this machine", "in_progress");
    const machine = await sources.readMachine({ signal });
    yield task("machine", "Read this machine", "complete");
    yield* blocks(answerFromMachine(intent, machine) ?? unknownAnswer());
  }
}

async function* describeState(
  sources: Sources,
  question: string,
  organizationId: string,
  signal: AbortSignal,
): AsyncGenerator<Said> {
  yield task("state", "Read the state of this service", "in_progress");
  const state = await readState(sources, organizationId, signal);
  yield task("state", "Read the state of this service", state ? "complete" : "failed");
  yield* blocks(
    state === undefined
      ? ["**I could not read the state of this service.** The log says why."]
      : answerFromState(state, question),
  );
}

async function readState(
  sources: Sources,
  organizationId: string,
  signal: AbortSignal,
): Promise<ServiceState | undefined> {
  const late = AbortSignal.any([signal, AbortSignal.timeout(STATE_TIMEOUT_MS)]);
  const aborted = Promise.withResolvers<undefined>();
  late.addEventListener("abort", () => aborted.resolve(undefined), { once: true });
  try {
    return await Promise.race([sources.readState(organizationId), aborted.promise]);
  } catch {
    return undefined;
  } finally {
    signal.throwIfAborted();
  }
}

function* blocks(texts: readonly string[]): Generator<Said> {
  for (const [index, text] of texts.entries()) {
    yield { kind: "text", text: index === 0 ? text : `\n\n${text}` };
  }
}

function task(id: string, title: string, state: AgentTask["state"]): Said {
  return { kind: "task", task: { id, title, state } };
}
