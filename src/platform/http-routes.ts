import type { FastifyInstance, FastifyRequest } from "fastify";
import { AppError } from "./errors.ts";
import { openApiSchema } from "./http-open-api.ts";
import { answerInTime } from "./http-signal.ts";
import type { RateChecks } from "./http-rate-limit.ts";
import type { Principal } from "./principal.ts";
import type { Route } from "./route.ts";

export interface HttpCredentials {
  readonly authorization?: string;
  readonly cookie?: string;
  readonly remoteAddress: string;
  readonly method: string;
  /** The Host header. */
  readonly host?: string;
  /** The Origin header: which page of a browser asks. */
  readonly origin?: string;
}

export interface RouteDeps {
  readonly routes: readonly Route[];
  readonly authenticate: (credentials: HttpCredentials) => Promise<Principal | undefined>;
  readonly rates: RateChecks;
  /** Throws where a principal lacks a permission; by default looks at the principal alone. */
  readonly assertCan?: (principal: Principal, permission: string) => void;
}

declare module "fastify" {
  interface FastifyRequest {
    principal: Principal | undefined;
  }
}

export function addRoutes(app: FastifyInstance, { routes, ...deps }: RouteDeps): void {
  app.decorateRequest("principal", undefined);
  for (const route of routes) addRoute(app, route, deps);
}

function addRoute(
  app: FastifyInstance,
  route: Route,
  { authenticate, rates, assertCan = assertHas }: Omit<RouteDeps, "routes">,
): void {
  const { method, path, access, status = 200 } = route;
  app.route({
    method,
    url: path,
    schema: openApiSchema(route),
    // Before the body is read: a stranger does not make us parse a megabyte.
    async onRequest(request, reply) {
      // Public routes are for probes: a flood must not make a healthy service look dead.
      if (access === "public") return;
      await rates.address(request, reply);
      request.principal = await authenticate(credentialsOf(request));
      if (request.principal) await rates.principal(request, reply);
      const principal = assertKnown(request.principal);
      if (access !== "principal") assertCan(principal, access.permission);
    },
    async handler(request, reply) {
      reply.code(status);
      return answerInTime(reply, (signalOf) =>
        route.handle({
          params: request.params,
          query: request.query,
          body: request.body,
          principal: request.principal,
          requestId: request.id,
          setHeader: (name, value) => void reply.header(name, value),
          get signal() {
            return signalOf();
          },
        }),
      );
    },
  });
}

function assertKnown(principal: Principal | undefined): Principal {
  if (principal) return principal;
  throw new AppError("unauthenticated", "Say who you are: send `authorization: Bearer <token>`.");
}

function assertHas(principal: Principal, permission: string): void {
  if (principal.permissions.has(permission)) return;
  throw new AppError(
    "forbidden",
    `You lack the permission ${permission}: an admin of your organization can grant it.`,
  );
}

function credentialsOf(request: FastifyRequest): HttpCredentials {
  const { authorization, cookie, host, origin } = request.headers;
  return {
    method: request.method,
    remoteAddress: request.socket.remoteAddress ?? "",
    ...(authorization === undefined ? {} : { authorization }),
    ...(cookie === undefined ? {} : { cookie }),
    ...(host === undefined ? {} : { host }),
    ...(origin === undefined ? {} : { origin }),
  };
}
