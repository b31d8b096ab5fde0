import type { FastifyReply } from "fastify";

/**
 * Gives the signal of one request on first use: most handlers never look. It aborts once the answer
 * is sent or the connection is lost. Fastify's own `request.signal` follows the request stream, which
 * closes as soon as the body has been read.
 */
export function requestSignal(reply: FastifyReply): () => AbortSignal {
  let aborter: AbortController | undefined;
  return function signalOf(): AbortSignal {
    if (!aborter) {
      const made = new AbortController();
      aborter = made;
      if (reply.raw.destroyed) made.abort();
      else reply.raw.once("close", () => made.abort());
    }
    return aborter.signal;
  };
}
