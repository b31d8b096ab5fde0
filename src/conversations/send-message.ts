import { AppError, isUuid, type Abortable, type Principal } from "#platform";
import { assertCan } from "#identity";
import { withTenant, type DatabaseTransaction } from "#database";
import { TEXT_LIMITS, type Author, type Conversation } from "./model.ts";
import { addMessage, type ReceiveDeps } from "./receive-message.ts";
import { findConversation, findTwin, openConversation } from "./store.ts";
import { findAnswer, findTurn } from "./turns/store.ts";
import type { RunningTurns } from "./turns/running-turns.ts";
import type { TurnEvent, TurnEvents } from "./turns/turn-events.ts";

/** How often a turn that runs in another replica is looked at. */
const LOOK_MS = 1_000;

export interface SendDeps extends Pick<ReceiveDeps, "db" | "ids" | "clock" | "turns"> {
  readonly events: TurnEvents;
  readonly running: RunningTurns;
}

export interface SendMessageInput {
  readonly conversationId?: string | undefined;
  readonly text: string;
  readonly idempotencyKey?: string | undefined;
}

export interface SentMessage {
  readonly conversationId: string;
  readonly messageId: string;
  readonly turnId: string;
}

/** Takes a message of a program or the console: opens or continues a conversation and starts a turn. The same key is one message. */
export async function sendMessage(
  deps: SendDeps,
  principal: Principal,
  input: SendMessageInput,
): Promise<SentMessage> {
  assertCan(principal, "conversation:send");
  const text = input.text.trim();
  if (text === "")
    throw new AppError("invalid_request", "The message is empty: put a question into `text`.");
  if (text.length > TEXT_LIMITS.messageCharactersMax) {
    throw new AppError(
      "invalid_request",
      `The message has ${text.length} characters; at most ${TEXT_LIMITS.messageCharactersMax} are taken.`,
    );
  }
  const { organizationId } = principal;
  const sent = await withTenant(deps.db, organizationId, async (tx) => {
    const conversation = await conversationFor(deps, tx, organizationId, input);
    const at = deps.clock.now();
    const externalId = input.idempotencyKey;
    const added = await addMessage(deps, tx, organizationId, {
      conversationId: conversation.id,
      externalId,
      author: authorOf(principal),
      text,
      sentAt: at,
      isToBeAnswered: true,
    });
    if (added) return { conversationId: conversation.id, ...added };
    const twin = await findTwin(tx, organizationId, {
      conversationId: conversation.id,
      externalId,
    });
    if (!twin?.turnId)
      throw new AppError(
        "conflict",
        "The idempotency key belongs to a message that is no question.",
      );
    return { conversationId: conversation.id, messageId: twin.messageId, turnId: twin.turnId };
  });
  deps.turns.wake();
  return sent;
}

async function conversationFor(
  deps: SendDeps,
  tx: DatabaseTransaction,
  organizationId: string,
  { conversationId, idempotencyKey }: SendMessageInput,
): Promise<Conversation> {
  if (conversationId) {
    const found =
      isUuid(conversationId) && (await findConversation(tx, organizationId, conversationId));
    if (found) return found;
    throw new AppError("not_found", `Conversation ${conversationId} does not exist.`);
  }
  const id = deps.ids();
  return openConversation(tx, organizationId, {
    id,
    surface: "grpc",
    externalKey: idempotencyKey ? `key:${idempotencyKey}` : id,
    at: deps.clock.now(),
  });
}

function authorOf(principal: Principal): Author {
  return { kind: principal.kind === "service" ? "service" : "person", id: principal.id };
}

/**
 * The events of a turn until it ends. When the reader goes away (`signal`), a turn that still runs is
 * cancelled with it. A turn that runs in another replica tells its end only.
 */
export async function* watchTurn(
  deps: SendDeps,
  turn: { readonly organizationId: string; readonly turnId: string },
  { signal }: Abortable,
): AsyncGenerator<TurnEvent> {
  const pending: TurnEvent[] = [];
  let wake = Promise.withResolvers<void>();
  const stopListening = deps.events.listen(turn.turnId, (event) => {
    pending.push(event);
    wake.resolve();
  });
  function onAbort(): void {
    wake.resolve();
  }
  signal.addEventListener("abort", onAbort, { once: true });
  let hasEnded = false;
  try {
    while (!signal.aborted) {
      if (pending.length === 0) {
        const end = await findEnd(deps, turn);
        // Behind what was written while it was looked for.
        if (end) pending.push(end);
      }
      const event = pending.shift();
      if (event) {
        hasEnded = event.kind !== "text" && event.kind !== "task";
        yield event;
        if (hasEnded) return;
        continue;
      }
      const timer = setTimeout(() => wake.resolve(), LOOK_MS);
      await wake.promise;
      clearTimeout(timer);
      wake = Promise.withResolvers<void>();
    }
  } finally {
    stopListening();
    signal.removeEventListener("abort", onAbort);
    if (!hasEnded) await deps.running.cancel(turn);
  }
}

async function findEnd(
  deps: SendDeps,
  { organizationId, turnId }: { readonly organizationId: string; readonly turnId: string },
): Promise<TurnEvent | undefined> {
  return withTenant(deps.db, organizationId, async (tx) => {
    const turn = await findTurn(tx, organizationId, turnId);
    if (!turn || turn.state === "cancelled") return { kind: "cancelled" };
    if (turn.state !== "answered" && turn.state !== "failed") return undefined;
    const text = (await findAnswer(tx, organizationId, turnId)) ?? "";
    return turn.state === "answered"
      ? { kind: "finished", text, agent: turn.agent ?? "" }
      : { kind: "failed", message: text, traceId: turn.traceId };
  });
}
