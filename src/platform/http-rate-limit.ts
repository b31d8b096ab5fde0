import fastifyRateLimit from "@fastify/rate-limit";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { AppError } from "./errors.ts";

/** Requests a minute, counted in this replica. */
export interface HttpRateLimits {
  /** Of one address, over all routes that ask who calls; counted before that is known. Behind a proxy that is not among the trusted ones this is everybody's, so it is high. */
  readonly perAddress: number;
  /** Of one principal. */
  readonly perPrincipal: number;
  /**
   * Of one address, over webhooks and pages. Vendors send in bursts from few addresses, and GitHub
   * never delivers again what was refused with 429: at 5,000 a second it lies above what a replica takes.
   */
  readonly perAddressRaw: number;
}

export const RATE_LIMITS: HttpRateLimits = {
  perAddress: 12_000,
  perPrincipal: 1_200,
  perAddressRaw: 300_000,
};

const WINDOW_MS = 60_000;
/** Addresses and principals counted at once; the least recent is forgotten. */
const COUNTED_MAX = 20_000;

type Check = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

/** Each throws AppError("rate_limited") with Retry-After set, beyond its limit. */
export interface RateChecks {
  readonly address: Check;
  readonly principal: Check;
  readonly addressRaw: Check;
}

export async function addRateLimits(
  app: FastifyInstance,
  limits: HttpRateLimits,
): Promise<RateChecks> {
  await app.register(fastifyRateLimit, { global: false, cache: COUNTED_MAX });
  return {
    address: checkOf(app, limits.perAddress, (request) => `address ${addressOf(request)}`),
    principal: checkOf(app, limits.perPrincipal, ({ principal }) =>
      principal ? `principal ${principal.organizationId} ${principal.id}` : "nobody",
    ),
    addressRaw: checkOf(app, limits.perAddressRaw, (request) => `raw ${addressOf(request)}`),
  };
}

function checkOf(
  app: FastifyInstance,
  max: number,
  keyGenerator: (request: FastifyRequest) => string,
): Check {
  const count = app.createRateLimit({ max, timeWindow: WINDOW_MS, keyGenerator });
  return async function check(request, reply) {
    const counted = await count(request);
    if (counted.isAllowed || !counted.isExceeded) return;
    const seconds = Math.max(1, counted.ttlInSeconds);
    reply.header("retry-after", String(seconds));
    throw new AppError("rate_limited", `Too many requests: try again in ${seconds} s.`);
  };
}

/** The other end of the socket, or what a trusted proxy says is behind it. */
function addressOf(request: FastifyRequest): string {
  return request.ip;
}
