import type { FastifyReply } from "fastify";
import { AppError } from "./errors.ts";

/** A handler that hangs holds no connection for ever. */
const HANDLER_MS_MAX = 30_000;

/**
 * Runs a handler with a signal that aborts when the caller leaves or the time is over, which is
 * answered with 504. Fastify's own signal and timeout are not used: the signal follows the request
 * stream, which closes once the body is read, and both make an AbortError for every request (4 %).
 */
export async function answerInTime<Answer>(
  reply: FastifyReply,
  handle: (signalOf: () => AbortSignal) => Promise<Answer>,
  timeoutMs = HANDLER_MS_MAX,
): Promise<Answer> {
  let aborter: AbortController | undefined;
  function signalOf(): AbortSignal {
    aborter ??= abortedOnLeave(reply);
    return aborter.signal;
  }
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const error = new AppError("timeout", "This took too long and was given up. Try again.");
    aborter?.abort(error);
    late.reject(error);
  }, timeoutMs);
  try {
    return await Promise.race([handle(signalOf), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function abortedOnLeave(reply: FastifyReply): AbortController {
  const aborter = new AbortController();
  function left(): void {
    if (!reply.raw.writableFinished) aborter.abort();
  }
  if (reply.raw.destroyed) left();
  else reply.raw.once("close", left);
  return aborter;
}
