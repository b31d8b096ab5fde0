import { setTimeout as sleep } from "node:timers/promises";

/** What an agent is told. */
export interface Question {
  readonly text: string;
  /** Earlier messages of the conversation, oldest first. */
  readonly history: readonly { readonly author: string; readonly text: string }[];
}

/** The agent itself: replace this. Yields the answer piece by piece and ends early when `signal` aborts. */
export async function* answer(
  { text, history }: Question,
  { signal }: { readonly signal: AbortSignal },
): AsyncGenerator<string> {
  const pieces = [`You asked: **${text}**\n\n`, `I know ${history.length} earlier messages.`];
  for (const piece of pieces) {
    await sleep(50, undefined, { signal });
    yield piece;
  }
}
