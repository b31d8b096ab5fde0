import type { FastifyInstance } from "fastify";
import { AppError } from "./errors.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

/**
 * Answers 405 where the path exists and the method does not. The router cannot be asked which
 * methods a URL has, so every path gets a route for the others; the longest path still wins.
 */
export function refuseOtherMethods(
  app: FastifyInstance,
  routes: readonly { readonly method: string; readonly path: string }[],
): void {
  const methodsOf = new Map<string, Set<string>>();
  for (const { method, path } of routes) {
    const methods = methodsOf.get(path) ?? new Set();
    methods.add(method);
    // Fastify answers HEAD wherever it answers GET.
    if (method === "GET") methods.add("HEAD");
    methodsOf.set(path, methods);
  }
  for (const [url, methods] of methodsOf) {
    const allow = [...methods].toSorted().join(", ");
    app.route({
      method: METHODS.filter((method) => !methods.has(method)),
      url,
      schema: { hide: true },
      onRequest(request, reply, done) {
        reply.header("allow", allow);
        done(
          new AppError(
            "method_not_allowed",
            `${request.method} is not possible here; use ${allow}.`,
          ),
        );
      },
      handler: () => undefined,
    });
  }
}
