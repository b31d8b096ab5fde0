import type { Abortable } from "./abort.ts";
import { AppError } from "./errors.ts";
import type { Ids } from "./ids.ts";
import type { Jobs, Queue, SqlExecutor } from "./jobs.ts";

declare const payloadOf: unique symbol;

/** What a room announces. Rooms above listen to it; the payload holds ids, not things. */
export interface Event<Payload extends object> {
  /** Lower-case, such as "organization-deleted". */
  readonly name: string;
  /** Only in the types: ties the name to its payload. */
  readonly [payloadOf]?: (payload: Payload) => void;
}

export interface Events {
  /** Announces inside the caller's own transaction: every listener runs if and only if it commits. */
  publish<Payload extends object>(
    tx: SqlExecutor,
    event: Event<Payload>,
    payload: Payload,
  ): Promise<void>;
  /** Runs what listens at once; call it after the commit. A forgotten call costs a second. */
  wake(event: Event<never>): void;
  /**
   * Registers a listener before the jobs start. `listenerName` is lower-case ("remove-credentials")
   * and stays: it names the durable queue. `handle` may run twice for one event, and is tried again
   * for about an hour when it throws.
   */
  on<Payload extends object>(
    event: Event<Payload>,
    listenerName: string,
    handle: (payload: Payload, options: Abortable) => Promise<void>,
  ): void;
}

const NAME = /^[a-z][a-z0-9-]{0,40}$/;
const LISTENERS_AT_ONCE_MAX = 4;

export function defineEvent<Payload extends object>(name: string): Event<Payload> {
  if (!NAME.test(name)) throw new AppError("internal", `"${name}" is no name for an event.`);
  return { name };
}

/** Durable events on top of jobs: one job for each listener. */
export function createEvents({ jobs, ids }: { readonly jobs: Jobs; readonly ids: Ids }): Events {
  const queues = new Map<string, Queue<object>[]>();
  return {
    async publish(tx, event, payload) {
      for (const queue of queues.get(event.name) ?? []) {
        await queue.enqueue(tx, [{ id: ids(), data: payload }]);
      }
    },
    wake(event) {
      for (const queue of queues.get(event.name) ?? []) queue.wake();
    },
    on<Payload extends object>(
      event: Event<Payload>,
      listenerName: string,
      handle: (payload: Payload, options: Abortable) => Promise<void>,
    ) {
      if (!NAME.test(listenerName)) {
        throw new AppError("internal", `"${listenerName}" is no name for a listener.`);
      }
      const queue = jobs.define<Payload>({
        name: `on-${event.name}.${listenerName}`,
        isOrdered: false,
        concurrencyMax: LISTENERS_AT_ONCE_MAX,
        retriesMax: 15,
        retryDelaySeconds: 1,
        retryDelaySecondsMax: 600,
        runSecondsMax: 120,
        handle: (job, options) => handle(job.data, options),
      });
      // Only `publish` puts data into this queue, and the event's type ties it to Payload.
      const known = queues.get(event.name) ?? [];
      known.push(queue);
      queues.set(event.name, known);
    },
  };
}
