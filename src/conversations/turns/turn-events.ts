import type { AgentTask } from "#agents";

/** What somebody who watches a turn sees. `finished`, `failed` and `cancelled` come last and once. */
export type TurnEvent =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "task"; readonly task: AgentTask }
  | { readonly kind: "finished"; readonly text: string; readonly agent: string }
  | { readonly kind: "failed"; readonly message: string; readonly traceId: string }
  | { readonly kind: "cancelled" };

type Listener = (event: TurnEvent) => void;

/** Carries the events of turns that run in this replica to those who watch them here. */
export interface TurnEvents {
  publish(turnId: string, event: TurnEvent): void;
  /** What was written before comes first, as one text. Returns the way to stop listening. */
  listen(turnId: string, listener: Listener): () => void;
  /** The turn no longer runs here: what it wrote is no longer kept. */
  forget(turnId: string): void;
}

export function createTurnEvents(): TurnEvents {
  const listeners = new Map<string, Set<Listener>>();
  const written = new Map<string, string>();
  return {
    publish(turnId, event) {
      if (event.kind === "text") written.set(turnId, (written.get(turnId) ?? "") + event.text);
      for (const listener of listeners.get(turnId) ?? []) listener(event);
    },
    listen(turnId, listener) {
      const ofTurn = listeners.get(turnId) ?? new Set();
      ofTurn.add(listener);
      listeners.set(turnId, ofTurn);
      const before = written.get(turnId);
      if (before) listener({ kind: "text", text: before });
      return () => {
        ofTurn.delete(listener);
        if (ofTurn.size === 0) listeners.delete(turnId);
      };
    },
    forget(turnId) {
      written.delete(turnId);
    },
  };
}
