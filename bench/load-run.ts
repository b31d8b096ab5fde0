export interface LoadOrder {
  readonly events: number;
  /** Events under way at once; 0 sends them at `perSecond` instead. */
  readonly window: number;
  readonly perSecond: number;
}

export interface LoadResult {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** The events of an order under way, by their number from 0. */
export interface LoadRun {
  /** Resolves when all have ended. */
  readonly result: Promise<LoadResult>;
  /** The first time counts. */
  end(event: number): void;
}

/** Sends what an order says and takes the time of each event. */
export function startRun(order: LoadOrder, send: (event: number) => void): LoadRun {
  const { events, window, perSecond } = order;
  const startedAtMs = new Float64Array(events).fill(Number.NaN);
  const latenciesMs: number[] = [];
  const { promise: result, resolve } = Promise.withResolvers<LoadResult>();
  const begunAtMs = performance.now();
  let sent = 0;

  function sendOne(): void {
    if (sent >= events) return;
    startedAtMs[sent] = performance.now();
    send(sent++);
  }

  if (window > 0) for (let index = 0; index < window; index += 1) sendOne();
  else {
    const timer = setInterval(() => {
      const due = ((performance.now() - begunAtMs) / 1000) * perSecond;
      while (sent < events && sent < due) sendOne();
      if (sent >= events) clearInterval(timer);
    }, 2);
  }
  return {
    result,
    end(event) {
      const since = startedAtMs[event] ?? Number.NaN;
      if (Number.isNaN(since)) return;
      startedAtMs[event] = Number.NaN;
      latenciesMs.push(performance.now() - since);
      if (window > 0) sendOne();
      if (latenciesMs.length < events) return;
      const seconds = (performance.now() - begunAtMs) / 1000;
      resolve({ perSecond: events / seconds, ...percentiles(latenciesMs) });
    },
  };
}

function percentiles(valuesMs: readonly number[]): { p50Ms: number; p99Ms: number } {
  const sorted = valuesMs.toSorted((a, b) => a - b);
  function at(share: number): number {
    return sorted[Math.floor(sorted.length * share)] ?? 0;
  }
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}
