import { setTimeout as sleep } from "node:timers/promises";

/** How long a wait in a test may take before it fails. Generous, because the machine may be busy; a passing test never waits for it. */
export const WAIT_TIMEOUT_MS = 15_000;

export interface WaitOptions {
  /** Default 15,000. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface Waiter {
  check(): void;
  fail(reason: Error): void;
}

/**
 * Something that changes and can be waited for without polling: whoever changes it calls `notify`,
 * whoever waits calls `until`.
 */
export class Change {
  readonly #waiters = new Set<Waiter>();

  /** Lets every waiter look again. */
  notify(): void {
    for (const waiter of this.#waiters) waiter.check();
  }

  /** Ends every wait with an error: nothing will change any more. */
  end(reason: string): void {
    for (const waiter of this.#waiters) waiter.fail(new Error(reason));
  }

  /**
   * Resolves with the first value that `find` finds; it looks now and after each change. Fails after the deadline
   * with an error that says what was waited for and, from `describe`, how things stand.
   */
  async until<T>(
    what: string,
    find: () => T | undefined,
    describe: () => string,
    { timeoutMs = WAIT_TIMEOUT_MS, signal }: WaitOptions = {},
  ): Promise<T> {
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const waiter: Waiter = {
      check() {
        try {
          const found = find();
          if (found !== undefined) resolve(found);
        } catch (error) {
          reject(error);
        }
      },
      fail(reason) {
        reject(new Error(`${reason.message}, while waiting for ${what}\n${describe()}`));
      },
    };
    const deadline = setTimeout(() => {
      reject(new Error(`waited ${timeoutMs} ms for ${what}\n${describe()}`));
    }, timeoutMs);
    function onAbort(): void {
      reject(new Error(`stopped waiting for ${what}`, { cause: signal?.reason }));
    }
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#waiters.add(waiter);
    try {
      waiter.check();
      return await promise;
    } finally {
      clearTimeout(deadline);
      signal?.removeEventListener("abort", onAbort);
      this.#waiters.delete(waiter);
    }
  }
}

/** Asks again and again, for what happens in another process or in the database. Fails after 15 s. */
export async function untilAsync(isTrue: () => Promise<boolean>): Promise<void> {
  const signal = AbortSignal.timeout(WAIT_TIMEOUT_MS);
  while (!(await isTrue())) {
    signal.throwIfAborted();
    await sleep(20);
  }
}
