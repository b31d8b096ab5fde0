import { createHash } from "node:crypto";
import type { InboundMessage } from "@infragpt/connector-kit";
import type { AgentFailureKind } from "#agents";

export type Surface = "slack" | "grpc" | "console";
export type Monitoring = "off" | "people" | "alerts";
type AuthorKind = "person" | "agent" | "bot" | "service";
export type TurnState = "queued" | "running" | "answered" | "failed" | "cancelled";

/** One thread of one surface; its people share the context. */
export interface Conversation {
  readonly id: string;
  readonly organizationId: string;
  readonly surface: Surface;
  /** "team:channel:thread" in Slack; what a program chose, or the conversation's own id, elsewhere. */
  readonly externalKey: string;
  readonly integrationId: string | undefined;
  readonly channelId: string | undefined;
  readonly threadId: string | undefined;
  /** Where an answer goes that its channel refuses: the person who asked. */
  readonly fallbackChannelId: string | undefined;
  readonly createdAt: Date;
}

export interface Author {
  readonly kind: AuthorKind;
  readonly id: string;
  readonly name?: string | undefined;
}

export interface Message {
  readonly id: string;
  readonly externalId: string | undefined;
  readonly author: Author;
  readonly text: string;
  readonly sentAt: Date;
  readonly createdAt: Date;
}

export interface Turn {
  readonly id: string;
  readonly traceId: string;
  readonly state: TurnState;
  readonly agent: string | undefined;
  readonly failure: string | undefined;
}

/** Characters a message or an answer may have. Slack truncates a message past 40,000. */
export const TEXT_LIMITS = { messageCharactersMax: 40_000, replyCharactersMax: 200_000 } as const;
/** How much of a conversation an agent is told. */
export const HISTORY_LIMITS = { messagesMax: 100, charactersMax: 60_000 } as const;
/** A reply that comes this soon after its turn ended still belongs to it. */
export const LATE_REPLY_MS = 60_000;

/** Who is answered: mentions, direct messages, replies where the bot takes part, and what a channel was switched on for. */
export function isAnswered(
  message: InboundMessage,
  context: { readonly isKnownThread: boolean; readonly monitoring: Monitoring },
): boolean {
  if (message.text.trim() === "" && !message.isAddressed) return false;
  if (message.author.kind === "bot") {
    // Two bots that answer each other's replies would never stop.
    if (message.isReply) return false;
    return message.isAddressed || context.monitoring === "alerts";
  }
  if (message.isAddressed) return true;
  if (message.isReply) return context.isKnownThread;
  return context.monitoring === "people";
}

/** Recognises the same text said twice in one turn; white space around it does not matter. */
export function textHashOf(text: string): string {
  return createHash("sha256").update(text.trim()).digest("hex");
}

const FAILURE_SENTENCES: Record<AgentFailureKind, string> = {
  unreachable:
    "I could not reach the agent that answers here, so your question is not answered. Please ask again in a few minutes.",
  timeout:
    "The agent took too long and I stopped waiting, so your question is not answered. Please ask again, or ask for less at once.",
  failed:
    "The agent failed while it worked on this, so your question is not answered. Please ask again.",
  none: "No agent is connected that could answer this. Ask your administrator to connect one.",
};

/** The one plain sentence that people see instead of an answer. */
export function failureSentence(kind: AgentFailureKind, traceId: string): string {
  return `:warning: ${FAILURE_SENTENCES[kind]} (trace \`${traceId}\`)`;
}

/** The newest messages that fit the bounds, oldest first. Takes them newest first. */
export function boundHistory(newestFirst: readonly Message[]): readonly Message[] {
  const kept: Message[] = [];
  let characters = 0;
  for (const message of newestFirst) {
    characters += message.text.length;
    if (characters > HISTORY_LIMITS.charactersMax) break;
    kept.push(message);
  }
  return kept.toReversed();
}
