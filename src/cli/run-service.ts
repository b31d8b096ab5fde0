import { setTimeout as sleep } from "node:timers/promises";
import type { Abortable, Log } from "#platform";

interface Service {
  start(): Promise<void>;
  stop(): Promise<void>;
}

interface RunOptions extends Abortable {
  readonly log: Log;
  readonly onReady: () => void | Promise<void>;
  readonly stopMsMax?: number;
}

/** A graceful stop has 30 s in all; the rest is for what drains after it. */
const STOP_MS_MAX = 28_000;

/**
 * Starts the service, waits for the signal and stops it. Returns the exit code: 1 when an exception
 * that nobody caught ended it, or when it did not stop in time. Throws what the start threw.
 */
export async function runService(service: Service, options: RunOptions): Promise<number> {
  const { log, signal, onReady } = options;
  using crash = watchForCrash(log);
  const ended = AbortSignal.any([signal, crash.signal]);
  try {
    await Promise.race([service.start(), aborted(ended)]);
    if (!ended.aborted) await onReady();
    await aborted(ended);
    if (signal.aborted) log.info("stopping");
  } catch (error) {
    await stopWithin(service, options);
    throw error;
  }
  const hasStopped = await stopWithin(service, options);
  if (hasStopped && !crash.signal.aborted) log.info("stopped");
  return hasStopped && !crash.signal.aborted ? 0 : 1;
}

async function stopWithin(
  service: Service,
  { log, stopMsMax = STOP_MS_MAX }: RunOptions,
): Promise<boolean> {
  const timer = new AbortController();
  const late = sleep(stopMsMax, false, { signal: timer.signal }).catch(() => false);
  try {
    const hasStopped = await Promise.race([service.stop().then(() => true), late]);
    if (!hasStopped) log.error({ stopMsMax }, "the service did not stop in time");
    return hasStopped;
  } catch (error) {
    log.error({ err: error }, "the service did not stop cleanly");
    return false;
  } finally {
    timer.abort();
  }
}

/**
 * After an exception that nobody caught the state of the process is unknown: what is durable goes
 * on elsewhere, this process stops. A rejection that nobody awaits is a bug of smaller reach.
 */
function watchForCrash(log: Log): Disposable & { readonly signal: AbortSignal } {
  const crash = new AbortController();
  function onException(error: unknown): void {
    log.fatal({ err: error }, "an exception was not caught, stopping");
    crash.abort();
  }
  function onRejection(error: unknown): void {
    log.error({ err: error }, "a rejection was not handled");
  }
  process.on("uncaughtException", onException);
  process.on("unhandledRejection", onRejection);
  return {
    signal: crash.signal,
    [Symbol.dispose]() {
      process.off("uncaughtException", onException);
      process.off("unhandledRejection", onRejection);
    },
  };
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
