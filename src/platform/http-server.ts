import fastifyCors from "@fastify/cors";
import fastifySwagger from "@fastify/swagger";
import { fastify, type FastifyInstance } from "fastify";
import {
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  serializerCompiler,
  validatorCompiler,
} from "fastify-type-provider-zod";
import type { Clock } from "./clock.ts";
import { answerError, answerSocketError, asHttpError } from "./http-errors.ts";
import { logRequests } from "./http-log.ts";
import { addRawRoutes } from "./http-raw-routes.ts";
import { RATE_LIMITS, addRateLimits, type HttpRateLimits } from "./http-rate-limit.ts";
import { addRoutes, type HttpCredentials } from "./http-routes.ts";
import { openApiInfo } from "./http-open-api.ts";
import { refuseOtherMethods } from "./http-methods.ts";
import type { Ids } from "./ids.ts";
import { AppError } from "./errors.ts";
import type { Log } from "./log.ts";
import type { Principal } from "./principal.ts";
import type { RawRoute, Route } from "./route.ts";

export interface HttpServerOptions {
  readonly log: Log;
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** One line a request. */
  readonly isHttpLogOn: boolean;
  readonly mode: "local" | "production";
  readonly ids: Ids;
  readonly clock: Clock;
  /** Says who calls; undefined is answered with 401 where a principal is needed. */
  readonly authenticate: (credentials: HttpCredentials) => Promise<Principal | undefined>;
  /** Throws where a principal lacks what a route asks for; by default looks at the principal alone. */
  readonly assertCan?: (principal: Principal, permission: string) => void;
  readonly routes: readonly Route[];
  readonly rawRoutes: readonly RawRoute[];
  /** Of JSON bodies; 1 MiB by default. */
  readonly bodyBytesMax?: number;
  /** 2,000 by default. */
  readonly connectionsMax?: number;
  /** Origins whose pages may call from a browser ("https://console.example.com"); none by default. */
  readonly corsOrigins?: readonly string[];
  readonly rateLimits?: HttpRateLimits;
  /** Addresses and networks of proxies whose X-Forwarded-For says who calls; none by default. Counts callers, and identifies nobody. */
  readonly trustedProxies?: readonly string[];
  /** Told before a known caller is answered with 403; never throws. */
  readonly onDenied?: (
    principal: Principal,
    denied: { readonly request: string; readonly reason: string },
  ) => Promise<void>;
}

export interface HttpServer {
  start(): Promise<{ readonly url: string }>;
  /** Takes no new connection, closes idle ones and waits for running requests. May be called twice. */
  stop(): Promise<void>;
  /** The OpenAPI 3.1 document. Available once started. */
  openApi(): object;
}

/** Limits of security.md 7. Node's own are 300 s, 60 s and 5 s. */
const REQUEST_MS_MAX = 30_000;
const HEADERS_MS_MAX = 10_000;
// Longer than the 60 s of common load balancers, so that they close first and no request meets a closed socket.
const KEEP_ALIVE_MS = 65_000;
const HEADER_BYTES_MAX = 16 * 1024;
const REQUESTS_PER_SOCKET_MAX = 1000;

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const app = createApp(options);
  return {
    async start() {
      await build(app, options);
      return { url: await app.listen({ host: options.host, port: options.port }) };
    },
    async stop() {
      await app.close();
    },
    openApi: () => app.swagger(),
  };
}

function createApp(options: HttpServerOptions): FastifyInstance {
  const { ids, bodyBytesMax = 1024 * 1024, connectionsMax = 2000, trustedProxies = [] } = options;
  const app = fastify({
    bodyLimit: bodyBytesMax,
    requestTimeout: REQUEST_MS_MAX,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxRequestsPerSocket: REQUESTS_PER_SOCKET_MAX,
    http: {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: HEADERS_MS_MAX,
      // Node looks for late requests every 30 s by itself, which would make 10 s up to 40.
      connectionsCheckingInterval: 2000,
    },
    forceCloseConnections: "idle",
    trustProxy: trustedProxies.length > 0 && [...trustedProxies],
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 200 },
    onProtoPoisoning: "error",
    onConstructorPoisoning: "error",
    logger: false,
    genReqId: (request) => requestIdOf(request.headers["x-request-id"], ids),
    clientErrorHandler: (error, socket) => answerSocketError(error, socket, ids),
    // Refused by the router, before any hook runs.
    frameworkErrors: (error, request, reply) => {
      reply.headers(headersOf(options)).header("x-request-id", request.id);
      answerError(asHttpError(error), request, reply);
    },
  });
  app.server.maxConnections = connectionsMax;
  return app;
}

async function build(app: FastifyInstance, options: HttpServerOptions): Promise<void> {
  const { log, routes, rawRoutes, isHttpLogOn } = options;
  const headers = headersOf(options);
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler((error, request, reply) => {
    const shown = asHttpError(error, request);
    // Said once, here: what the caller cannot see is what we must be able to find.
    if (shown.code === "internal") {
      log.error(
        { err: error, requestId: request.id, path: request.routeOptions.url },
        "request failed",
      );
    }
    answerError(shown, request, reply);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split("?", 1)[0]?.slice(0, 200);
    answerError(new AppError("not_found", `There is nothing at ${path}.`), request, reply);
  });
  app.addHook("onRequest", (request, reply, done) => {
    reply.headers(headers).header("x-request-id", request.id);
    done();
  });
  app.addHook("onError", async ({ method, routeOptions, principal }, _reply, error) => {
    if (!principal || !(error instanceof AppError) || error.code !== "forbidden") return;
    const request = `${method} ${routeOptions.url ?? ""}`;
    await options.onDenied?.(principal, { request, reason: error.message });
  });
  if (isHttpLogOn) logRequests(app, log);
  await app.register(fastifySwagger, {
    openapi: openApiInfo(),
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
  await allowOrigins(app, options.corsOrigins ?? []);
  const rates = await addRateLimits(app, options.rateLimits ?? RATE_LIMITS);
  addRoutes(app, { ...options, rates });
  await addRawRoutes(app, rawRoutes, { clock: options.clock, rates });
  app.get("/openapi.json", { schema: { hide: true } }, () => app.swagger());
  refuseOtherMethods(app, [...routes, ...rawRoutes, { method: "GET", path: "/openapi.json" }]);
}

/** Pages of other origins speak with a token of their own; cookies are never for them. */
async function allowOrigins(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return;
  await app.register(fastifyCors, {
    origin: origins.map((origin) => origin.replace(/\/+$/, "")),
    methods: ["GET", "POST", "PUT", "PATCH", "DELETE"],
    allowedHeaders: ["authorization", "content-type", "x-request-id"],
    exposedHeaders: ["x-request-id", "retry-after"],
    maxAge: 600,
  });
}

/** Answers are data for programs: no page may embed, sniff or store them. A raw route may say otherwise. */
const SECURITY_HEADERS = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};

const PRODUCTION_HEADERS = {
  ...SECURITY_HEADERS,
  // Browsers heed it over TLS only, which a proxy in front of us ends.
  "strict-transport-security": "max-age=31536000",
};

function headersOf({ mode }: HttpServerOptions): Readonly<Record<string, string>> {
  return mode === "production" ? PRODUCTION_HEADERS : SECURITY_HEADERS;
}

/** A caller's own id is kept when it cannot do harm in a log line or a header. */
function requestIdOf(sent: string | string[] | undefined, ids: Ids): string {
  return typeof sent === "string" && /^[\w.-]{1,64}$/.test(sent) ? sent : ids();
}

export type { HttpCredentials } from "./http-routes.ts";
