import type { FastifyInstance, FastifyRequest } from "fastify";
import { AppError } from "./errors.ts";
import { openApiSchema } from "./http-open-api.ts";
import { answerInTime } from "./http-signal.ts";
import type { Principal } from "./principal.ts";
import type { Route, RouteAccess } from "./route.ts";

export interface HttpCredentials {
  readonly authorization?: string;
  readonly cookie?: string;
  readonly remoteAddress: string;
}

export interface RouteDeps {
  readonly routes: readonly Route[];
  readonly authenticate: (credentials: HttpCredentials) => Promise<Principal | undefined>;
}

declare module "fastify" {
  interface FastifyRequest {
    principal: Principal | undefined;
  }
}

export function addRoutes(app: FastifyInstance, { routes, authenticate }: RouteDeps): void {
  app.decorateRequest("principal", undefined);
  for (const route of routes) addRoute(app, route, authenticate);
}

function addRoute(
  app: FastifyInstance,
  route: Route,
  authenticate: RouteDeps["authenticate"],
): void {
  const { method, path, access, status = 200 } = route;
  app.route({
    method,
    url: path,
    schema: openApiSchema(route),
    // Before the body is read: a stranger does not make us parse a megabyte.
    async onRequest(request) {
      if (access === "public") return;
      request.principal = allowed(access, await authenticate(credentialsOf(request)));
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
          get signal() {
            return signalOf();
          },
        }),
      );
    },
  });
}

function allowed(
  access: Exclude<RouteAccess, "public">,
  principal: Principal | undefined,
): Principal {
  if (!principal) {
    throw new AppError("unauthenticated", "Say who you are: send `authorization: Bearer <token>`.");
  }
  if (access === "principal" || principal.permissions.has(access.permission)) return principal;
  throw new AppError("forbidden", `You need the permission ${access.permission}; ask an admin.`);
}

function credentialsOf(request: FastifyRequest): HttpCredentials {
  const { authorization, cookie } = request.headers;
  return {
    remoteAddress: request.socket.remoteAddress ?? "",
    ...(authorization === undefined ? {} : { authorization }),
    ...(cookie === undefined ? {} : { cookie }),
  };
}
