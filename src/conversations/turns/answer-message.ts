import { AgentFailure, type Agents, type TurnMessage, type TurnRequest } from "#agents";
import { queryTenant, type Database } from "#database";
import type { Integrations } from "#integrations";
import type { Abortable, Clock, Failpoint, Log } from "#platform";
import { HISTORY_LIMITS, boundHistory, failureSentence, type Message } from "../model.ts";
import { addReply, type AddedReply, type ReplyDeps } from "../posts/add-reply.ts";
import { enqueueUnposted, postReply } from "../posts/post-reply.ts";
import { showProgress, type Progress } from "./progress.ts";
import type { RunningTurns } from "./running-turns.ts";
import { endTurn, findAnswer, leaseTurn, listHistory, type LeasedTurn } from "./store.ts";
import type { TurnEvents } from "./turn-events.ts";

export interface TurnJob {
  readonly organizationId: string;
  readonly turnId: string;
}

export interface AnswerDeps {
  readonly db: Database;
  readonly agents: Pick<Agents, "converse">;
  readonly integrations: Pick<Integrations, "connections">;
  readonly replies: ReplyDeps;
  readonly running: RunningTurns;
  readonly events: TurnEvents;
  readonly clock: Clock;
  readonly log: Log;
  readonly failpoint: Failpoint;
}

type Outcome =
  | { readonly state: "answered"; readonly agent: string; readonly text: string }
  | {
      readonly state: "failed";
      readonly agent: string;
      readonly text: string;
      readonly failure: string;
    };

/**
 * Has one message answered by an agent and stores the reply. Run again after a crash it asks the
 * agent again, unless the reply is stored: then it does nothing.
 */
export async function answerMessage(
  deps: AnswerDeps,
  job: TurnJob,
  { signal }: Abortable,
): Promise<void> {
  const { organizationId, turnId } = job;
  const [leased, newestFirst] = await queryTenant(deps.db, organizationId, (tx) =>
    Promise.all([
      leaseTurn(tx, organizationId, turnId, deps.clock.now()),
      listHistory(tx, organizationId, turnId, HISTORY_LIMITS.messagesMax),
    ]),
  );
  // A run before this one may have ended between storing the reply and posting it.
  if (!leased) return enqueueUnposted(deps, job);
  deps.failpoint("leased");

  using running = deps.running.begin(job, signal);
  let outcome: Outcome;
  try {
    outcome = await askAgent(deps, leased, boundHistory(newestFirst), running.signal);
  } catch (error) {
    // Somebody stopped the turn: that is its outcome, and stored already. A shutdown gives the job back.
    if (running.isCancelled) return;
    throw error;
  }
  deps.failpoint("agent_answered");
  const said = await storeOutcome(deps, leased, await orSilence(deps, leased, outcome), {
    isPostedByCaller: true,
  });
  if (said?.needsJob) await enqueueUnposted(deps, job);
  if (!said?.toPost) return;
  await postReply(deps, { post: said.toPost, conversation: leased.conversation }, { signal });
}

async function askAgent(
  deps: AnswerDeps,
  leased: LeasedTurn,
  history: readonly Message[],
  signal: AbortSignal,
): Promise<Outcome> {
  const { turn, conversation } = leased;
  await using progress = showProgress(deps, conversation, signal);
  try {
    return await converse(deps, leased, toRequest(leased, history), progress, signal);
  } catch (error) {
    if (!(error instanceof AgentFailure)) throw error;
    deps.log.warn(
      {
        err: error,
        organizationId: conversation.organizationId,
        turnId: turn.id,
        traceId: turn.traceId,
        agent: error.agent,
      },
      "no agent answered",
    );
    return {
      state: "failed",
      agent: error.agent,
      text: failureSentence(error.kind, turn.traceId),
      failure: `${error.kind}: ${error.message}`,
    };
  }
}

async function converse(
  deps: AnswerDeps,
  { turn }: LeasedTurn,
  request: TurnRequest,
  progress: Progress,
  signal: AbortSignal,
): Promise<Outcome> {
  for await (const event of deps.agents.converse(request, { signal })) {
    switch (event.kind) {
      case "text":
        deps.events.publish(turn.id, { kind: "text", text: event.text });
        break;
      case "task":
        progress.note(event.task);
        deps.events.publish(turn.id, { kind: "task", task: event.task });
        break;
      case "plan":
        for (const task of event.tasks) deps.events.publish(turn.id, { kind: "task", task });
        break;
      case "usage":
        deps.log.info({ turnId: turn.id, ...event }, "model usage");
        break;
      case "started":
        deps.log.debug({ turnId: turn.id, agent: event.agent }, "agent started");
        break;
      case "final":
        return { state: "answered", agent: event.agent, text: event.text };
    }
  }
  throw new AgentFailure("failed", "", "The agent's answer ended without its last word.");
}

/** An agent that says nothing, in its answer or on the way, has failed: somebody waits. */
async function orSilence(
  deps: AnswerDeps,
  { turn, conversation }: LeasedTurn,
  outcome: Outcome,
): Promise<Outcome> {
  if (outcome.text.trim() !== "") return outcome;
  const { organizationId } = conversation;
  const said = await queryTenant(deps.db, organizationId, (tx) =>
    findAnswer(tx, organizationId, turn.id),
  );
  if (said !== undefined) return outcome;
  return {
    state: "failed",
    agent: outcome.agent,
    text: failureSentence("failed", turn.traceId),
    failure: "failed: the agent answered without a word",
  };
}

/** Undefined when nothing was said: the turn had ended, or its agent has spoken before. */
async function storeOutcome(
  deps: AnswerDeps,
  leased: LeasedTurn,
  outcome: Outcome,
  { isPostedByCaller }: { readonly isPostedByCaller: boolean },
): Promise<AddedReply | undefined> {
  const { turn, conversation } = leased;
  const { organizationId } = conversation;
  const ends = {
    state: outcome.state,
    agent: outcome.agent,
    failure: outcome.state === "failed" ? outcome.failure : undefined,
  };
  // An original agent that spoke through SendReply may return nothing more.
  const isSilent = outcome.text.trim() === "";
  const said = await queryTenant(deps.db, organizationId, async (tx) =>
    isSilent
      ? { isEnded: await endTurn(tx, organizationId, turn.id, ends, deps.clock.now()) }
      : addReply(deps.replies, tx, {
          conversation,
          author: { kind: "agent", id: outcome.agent },
          text: outcome.text,
          turnId: turn.id,
          // A command's question stands nowhere in the channel.
          quoted: conversation.threadId === undefined ? leased.message.text : undefined,
          ends,
          isPostedByCaller,
        }),
  );
  if (!said.isEnded) return undefined;
  const reply = "messageId" in said ? said : undefined;
  // Nothing waits in the queue for what the caller posts.
  if (!reply?.toPost) deps.replies.posts.wake();
  deps.events.publish(
    turn.id,
    outcome.state === "answered"
      ? { kind: "finished", text: outcome.text, agent: outcome.agent }
      : { kind: "failed", message: outcome.text, traceId: turn.traceId },
  );
  return reply;
}

/** The last thing to do for a turn whose job failed for good: the person who waits is told. */
export async function giveUpTurn(deps: AnswerDeps, job: TurnJob, error: unknown): Promise<void> {
  const { organizationId, turnId } = job;
  const leased = await queryTenant(deps.db, organizationId, (tx) =>
    leaseTurn(tx, organizationId, turnId, deps.clock.now()),
  );
  if (!leased) return enqueueUnposted(deps, job);
  deps.log.error(
    { err: error, organizationId, turnId, traceId: leased.turn.traceId },
    "turn given up",
  );
  const outcome = {
    state: "failed",
    agent: "",
    text: failureSentence("failed", leased.turn.traceId),
    failure: String(error),
  } as const;
  await storeOutcome(deps, leased, outcome, { isPostedByCaller: false });
}

function toRequest(
  { turn, conversation, message }: LeasedTurn,
  history: readonly Message[],
): TurnRequest {
  return {
    conversationId: conversation.id,
    turnId: turn.id,
    traceId: turn.traceId,
    message: toTurnMessage(message),
    history: history.map(toTurnMessage),
    principal: {
      organizationId: conversation.organizationId,
      userId: message.author.id,
      surface: conversation.surface,
      channelId: conversation.channelId ?? "",
    },
  };
}

function toTurnMessage(message: Message): TurnMessage {
  const { id, text, author, sentAt } = message;
  return { messageId: id, text, author, sentAt };
}
