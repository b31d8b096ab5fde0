import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Clock } from "./clock.ts";
import { answerInTime } from "./http-signal.ts";
import type { RateChecks } from "./http-rate-limit.ts";
import type { RawRoute } from "./route.ts";

interface RawRouteDeps {
  readonly clock: Clock;
  readonly rates: RateChecks;
}

/** Raw routes live in their own plugin, whose only parser keeps the bytes, whatever their type says. */
export async function addRawRoutes(
  app: FastifyInstance,
  routes: readonly RawRoute[],
  deps: RawRouteDeps,
): Promise<void> {
  await app.register((raw, _options, done) => {
    // Fastify refuses types it cannot read before any parser is asked; senders' types are of no interest.
    raw.addHook("onRequest", (request, _reply, next) => {
      if (request.headers["content-type"] !== undefined) request.headers = ANY_TYPE;
      next();
    });
    raw.removeAllContentTypeParsers();
    raw.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, parsed) =>
      parsed(null, body),
    );
    for (const route of routes) addRawRoute(raw, route, deps);
    done();
  });
}

const ANY_TYPE = { "content-type": "application/octet-stream" };

function addRawRoute(raw: FastifyInstance, route: RawRoute, { clock, rates }: RawRouteDeps): void {
  raw.route({
    method: route.method,
    url: route.path,
    // Fastify takes no zero; a GET has no body anyway.
    bodyLimit: Math.max(1, route.bodyBytesMax),
    schema: { hide: true },
    onRequest: rates.addressRaw,
    async handler(request, reply) {
      const receivedAt = clock.now();
      const [path = "", query] = request.url.split("?", 2);
      const answer = await answerInTime(reply, (signalOf) =>
        route.handle({
          path,
          query: new URLSearchParams(query),
          params: paramsOf(request),
          headers: headersOf(request),
          body: request.body instanceof Uint8Array ? request.body : new Uint8Array(),
          remoteAddress: request.socket.remoteAddress ?? "",
          receivedAt,
          get signal() {
            return signalOf();
          },
        }),
      );
      return send(reply, answer);
    },
  });
}

function send(
  reply: FastifyReply,
  {
    status,
    contentType = "text/plain; charset=utf-8",
    headers,
    body,
  }: Awaited<ReturnType<RawRoute["handle"]>>,
): FastifyReply {
  reply.code(status);
  if (headers) reply.headers(headers);
  if (body === undefined) return reply.send();
  return reply.type(contentType).send(typeof body === "string" ? body : Buffer.from(body));
}

function headersOf(request: FastifyRequest): Record<string, string | undefined> {
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(request.raw.headers)) {
    headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return headers;
}

function paramsOf(request: FastifyRequest): Record<string, string> {
  const params: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.params ?? {})) params[name] = String(value);
  return params;
}
