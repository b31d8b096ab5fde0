import { retry, type Abortable, type Clock, type Log } from "#platform";
import { asAgentFailure, type Emit } from "./agent.ts";
import { AgentFailure, type AgentEvent, type TurnRequest } from "./model.ts";
import type { Member } from "./registry.ts";
import { setProblem } from "./watch-health.ts";

interface Deps {
  readonly log: Log;
  readonly clock: Clock;
}

const RETRY_DELAY_MS = 200;
const RETRY_DELAY_MS_MAX = 5000;

/**
 * Asks the agents of `chain` one after the other until one answers.
 *
 * One deadline spans all attempts of an agent: its `timeoutMs`. The whole turn lasts at most as
 * long as the largest of them, so a fallback gets what the agents before it left over. An agent is
 * tried again only while it cannot be reached and has said nothing: only then is it sure that it
 * did no work. Once text was shown, no other agent takes over, because two half answers are worse
 * than a plain failure.
 *
 * Throws AgentFailure when all are spent, and the signal's reason when it aborts.
 */
export async function askChain(
  deps: Deps,
  chain: readonly Member[],
  request: TurnRequest,
  emit: Emit,
  { signal }: Abortable,
): Promise<void> {
  const endsAtMs =
    deps.clock.now().getTime() + Math.max(0, ...chain.map(({ agent }) => agent.config.timeoutMs));
  const failures: AgentFailure[] = [];
  for (const member of chain) {
    if (deps.clock.now().getTime() >= endsAtMs) break;
    let hasSpoken = false;
    let hasShownText = false;
    try {
      await askMember(deps, member, request, watch, endsAtMs, { signal });
      setProblem(deps.log, member, undefined);
      return;
    } catch (error) {
      signal.throwIfAborted();
      const failure = failureOf(member.agent.config.name, error, hasSpoken);
      failures.push(failure);
      if (failure.kind === "unreachable") setProblem(deps.log, member, "cannot be reached");
      logFailure(deps.log, request, failure);
      if (hasShownText) break;
    }

    async function watch(event: AgentEvent): Promise<void> {
      hasSpoken ||= event.kind !== "started";
      hasShownText ||= event.kind === "text";
      await emit(event);
    }
  }
  throw summarize(failures);
}

async function askMember(
  { clock }: Deps,
  member: Member,
  request: TurnRequest,
  emit: Emit,
  turnEndsAtMs: number,
  { signal }: Abortable,
): Promise<void> {
  const { agent, breaker } = member;
  const { name, timeoutMs, retryAttempts } = agent.config;
  const deadline = new Date(Math.min(turnEndsAtMs, clock.now().getTime() + timeoutMs));
  let hasStarted = false;
  let hasSpoken = false;

  function isRetryable(error: unknown): boolean {
    const isUnreachable = asAgentFailure(name, error).kind === "unreachable";
    return isUnreachable && !hasSpoken && breaker.state !== "open" && clock.now() < deadline;
  }

  async function attemptOnce(run: Abortable): Promise<void> {
    const heard = Promise.withResolvers<void>();
    function note(event: AgentEvent): Promise<void> {
      hasSpoken = true;
      heard.resolve();
      return emit(event);
    }

    let attempt = Promise.resolve();
    // The breaker watches up to the first word: an agent on trial that thinks for minutes would
    // otherwise keep every other turn from it.
    await breaker.run(
      async (guarded) => {
        if (!hasStarted) await emit({ kind: "started", agent: name });
        hasStarted = true;
        attempt = agent.attempt(request, note, { signal: guarded.signal, deadline });
        await Promise.race([attempt, heard.promise]);
      },
      { signal: run.signal },
    );
    await attempt;
  }

  await retry(attemptOnce, {
    attemptsMax: retryAttempts + 1,
    baseMs: RETRY_DELAY_MS,
    maxMs: Math.min(RETRY_DELAY_MS_MAX, timeoutMs),
    isRetryable,
    signal,
  });
}

/** An agent that is lost in the middle of its answer was reached: it failed. */
function failureOf(agent: string, error: unknown, hasSpoken: boolean): AgentFailure {
  const failure = asAgentFailure(agent, error);
  if (failure.kind !== "unreachable" || !hasSpoken) return failure;
  const message = `the agent was lost in the middle of its answer: ${failure.message}`;
  return new AgentFailure("failed", agent, message, { cause: error });
}

function logFailure(log: Log, request: TurnRequest, failure: AgentFailure): void {
  const { turnId, traceId } = request;
  log.warn(
    { agent: failure.agent, kind: failure.kind, turnId, traceId, err: failure },
    "agent did not answer",
  );
}

/** `unreachable` is said only when it is true of every agent; otherwise the last other reason counts. */
function summarize(failures: readonly AgentFailure[]): AgentFailure {
  const last = failures.at(-1);
  if (last === undefined)
    return new AgentFailure("none", "", "no agent is configured for this message");
  const telling = failures.findLast(({ kind }) => kind !== "unreachable") ?? last;
  const messages = failures.map(({ agent, message }) => `${agent}: ${message}`).join("; ");
  return new AgentFailure(telling.kind, last.agent, messages, { cause: telling });
}
