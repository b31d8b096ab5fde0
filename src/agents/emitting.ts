import type { Abortable } from "#platform";

/** Enough to keep a fast producer busy, few enough to hold it back from a slow consumer. */
const QUEUED_MAX = 32;

/**
 * Runs `produce` and yields what it emits, in order. An emit waits while the consumer is behind. A
 * consumer that leaves early aborts the signal of `produce` and waits for its end.
 */
export async function* emitting<Event>(
  produce: (emit: (event: Event) => Promise<void>, options: Abortable) => Promise<void>,
  { signal }: Abortable,
): AsyncGenerator<Event, void, undefined> {
  const queued: Event[] = [];
  const left = new AbortController();
  let changed = Promise.withResolvers<void>();
  let drained = Promise.withResolvers<void>();
  let isDone = false;

  async function emit(event: Event): Promise<void> {
    queued.push(event);
    changed.resolve();
    if (queued.length >= QUEUED_MAX) await drained.promise;
  }

  const running = produce(emit, { signal: AbortSignal.any([signal, left.signal]) }).finally(() => {
    isDone = true;
    changed.resolve();
  });
  // Awaited below; until then a failure must not count as unhandled.
  running.catch(() => undefined);
  try {
    while (true) {
      for (let event = queued.shift(); event !== undefined; event = queued.shift()) {
        if (signal.aborted) break;
        yield event;
      }
      drained.resolve();
      drained = Promise.withResolvers();
      if (isDone || signal.aborted) break;
      await changed.promise;
      changed = Promise.withResolvers();
    }
    await running;
    signal.throwIfAborted();
  } catch (error) {
    // Whatever broke because of the signal is told as its reason.
    signal.throwIfAborted();
    throw error;
  } finally {
    left.abort(new Error("nobody reads the answer any more"));
    drained.resolve();
    await running.catch(() => undefined);
  }
}
