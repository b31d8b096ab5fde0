/** Messages to the other side of a call, written as they come up. */
export interface Outgoing<Message> extends AsyncIterable<Message> {
  /** Ignored after `end`. */
  push(message: Message): void;
  /** Ends our side once everything pushed so far is written. */
  end(): void;
}

/** A queue for one reader. Its writers push a handful of messages per call, so it needs no bound of its own. */
export function createOutgoing<Message>(): Outgoing<Message> {
  const waiting: Message[] = [];
  let changed = Promise.withResolvers<void>();
  let hasEnded = false;
  return {
    push(message) {
      if (hasEnded) return;
      waiting.push(message);
      changed.resolve();
    },
    end() {
      hasEnded = true;
      changed.resolve();
    },
    async *[Symbol.asyncIterator]() {
      while (true) {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) yield next;
        if (hasEnded) return;
        await changed.promise;
        changed = Promise.withResolvers();
      }
    },
  };
}
