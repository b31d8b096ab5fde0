import type { TurnMessage } from "./model.ts";

/** At most 3 MB on the wire: a message of gRPC is refused beyond 4 MiB. */
const CHARACTERS_MAX = 1_000_000;

/** The newest messages that fit one request, oldest first. */
export function recentHistory(
  history: readonly TurnMessage[],
  charactersMax = CHARACTERS_MAX,
): readonly TurnMessage[] {
  let left = charactersMax;
  const firstKept = history.findLastIndex(({ text }) => {
    left -= text.length;
    return left < 0;
  });
  return history.slice(firstKept + 1);
}
