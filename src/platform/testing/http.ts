import assert from "node:assert/strict";
import { after } from "node:test";
import { z } from "zod";
import {
  createHttpServer,
  createIds,
  createLog,
  createScrubber,
  type HttpServer,
  type HttpServerOptions,
  type Principal,
  type Route,
  route,
  systemClock,
} from "../index.ts";

const alice: Principal = {
  kind: "user",
  organizationId: "org-1",
  id: "alice",
  permissions: new Set(["audit:read"]),
};

const servers: HttpServer[] = [];
after(async () => {
  for (const server of servers) await server.stop();
});

export async function serve(
  options: Partial<HttpServerOptions> = {},
): Promise<{ url: string; lines: string[]; server: HttpServer }> {
  const lines: string[] = [];
  const log = createLog({
    level: "debug",
    format: "json",
    scrubber: createScrubber(),
    destination: { write: (line) => lines.push(line) },
  });
  const server = createHttpServer({
    log,
    host: "127.0.0.1",
    port: 0,
    isHttpLogOn: true,
    mode: "local",
    ids: createIds(),
    clock: systemClock,
    authenticate: async ({ authorization }) =>
      authorization === "Bearer alice" ? alice : undefined,
    routes: [],
    rawRoutes: [],
    ...options,
  });
  servers.push(server);
  const { url } = await server.start();
  return { url, lines, server };
}

export const reply = route({
  method: "POST",
  path: "/reply",
  summary: "Posts a reply into a conversation.",
  tags: ["conversations"],
  access: "principal",
  body: z.strictObject({ conversation_id: z.string().min(1), message: z.string().max(100) }),
  answer: z.object({ said: z.string(), by: z.string() }),
  async handle({ body, principal }) {
    return { said: body.message, by: principal.id };
  },
});

export const item = route({
  method: "GET",
  path: "/items/:id",
  summary: "One item.",
  access: "public",
  params: z.object({ id: z.string() }),
  query: z.object({ limit: z.coerce.number().int().max(10).default(5) }),
  answer: z.object({ id: z.string(), limit: z.number() }),
  async handle({ params, query }) {
    return { ...params, ...query, internal_note: "never leaves" };
  },
});

export function failing(thrown: unknown): Route {
  return route({
    method: "GET",
    path: "/fails",
    summary: "Fails.",
    access: "public",
    answer: z.object({}),
    async handle() {
      throw thrown;
    },
  });
}

export async function post(
  url: string,
  body: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(url, {
    method: "POST",
    body,
    headers: { "content-type": "application/json", authorization: "Bearer alice", ...headers },
  });
}

const ErrorBody = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    request_id: z.string(),
    details: z.unknown().optional(),
  }),
});

export async function errorOf(response: Response): Promise<z.infer<typeof ErrorBody>["error"]> {
  const { error } = ErrorBody.parse(await response.json());
  assert.equal(error.request_id, response.headers.get("x-request-id"));
  return error;
}
