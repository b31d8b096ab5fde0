import type { Config } from "#config";
import {
  createHttpServer,
  createIds,
  systemClock,
  type HttpServer,
  type Log,
  type RawRoute,
} from "#platform";

/** Webhooks on a port of their own, so that nothing else of ours needs to be reachable. Undefined without a port or anything to serve. */
export function webhookServer(
  config: Config,
  log: Log,
  port: number | undefined,
  rawRoutes: readonly RawRoute[],
): HttpServer | undefined {
  if (port === undefined || rawRoutes.length === 0) return undefined;
  return createHttpServer({
    log: log.child({ room: "http" }),
    host: config.host,
    port,
    isHttpLogOn: config.httpLog,
    mode: config.mode,
    trustedProxies: config.trustedProxies,
    ids: createIds(),
    clock: systemClock,
    authenticate: async () => undefined,
    routes: [],
    rawRoutes,
  });
}
