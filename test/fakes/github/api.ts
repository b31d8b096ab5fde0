import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { text as readText } from "node:stream/consumers";

import type { Answer } from "./call.ts";
import { authKindOf, authenticate, findCaller, tokenOf } from "./caller.ts";
import type { Core } from "./core.ts";
import { Faults, refusalOf } from "./faults.ts";
import { isObject } from "./json.ts";
import type { GitHubFault, JsonObject, RecordedCall } from "./model.ts";
import { Refusal, notFound } from "./refusal.ts";
import { findRoute } from "./route-table.ts";
import { fullNameOf } from "./world.ts";

const RATE_LIMIT = 5_000;

/** Answers every request, of the API and beside it. */
export class Api {
  readonly faults = new Faults();
  readonly calls: RecordedCall[] = [];
  changes = 0;
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { world } = this.#core;
    const { method = "GET", headers } = request;
    const url = this.#urlOf(request.url ?? "/");
    const body = parseBody(headers["content-type"], await readText(request));
    const found = findRoute(method, url.pathname);
    const route = found?.route.name ?? `${method} ${url.pathname}`;
    const fault = this.faults.take(route);
    this.calls.push(this.#record(route, url, body, request, fault));
    if (fault?.kind === "hang") return world.change.notify();
    const refused = refusalOf(fault, world.now());
    const answer = refused ? refusalAnswer(refused) : this.#perform(found, url, body, request);
    world.change.notify();
    if (fault?.kind === "close_after_performing") {
      response.socket?.destroy();
      return;
    }
    this.#send(response, answer, fault?.kind === "bad_json");
  }

  #perform(
    found: ReturnType<typeof findRoute>,
    url: URL,
    body: JsonObject,
    { method, headers }: IncomingMessage,
  ): Answer {
    try {
      assertWellMannered(headers);
      if (!found) throw notFound();
      const { route, parameters } = found;
      const caller = authenticate(this.#core, headers.authorization, route.auth);
      const answer = route.run({ core: this.#core, parameters, url, body, headers, caller });
      if (route.isChange) this.changes += 1;
      return answer;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      // A redirected write keeps its method and body.
      const isMovedWrite = error.status === 301 && method !== "GET";
      return refusalAnswer(error, isMovedWrite ? 307 : error.status);
    }
  }

  #send(response: ServerResponse, { status, body, text, headers }: Answer, isCut: boolean): void {
    const now = this.#core.world.now();
    response.writeHead(status, {
      "content-type":
        body === undefined ? "text/plain; charset=utf-8" : "application/json; charset=utf-8",
      date: new Date(now).toUTCString(),
      server: "github.com",
      "x-github-request-id": randomBytes(8).toString("hex").toUpperCase(),
      "x-github-media-type": "github.v3; format=json",
      "x-ratelimit-limit": String(RATE_LIMIT),
      "x-ratelimit-remaining": String(Math.max(1, RATE_LIMIT - this.calls.length)),
      "x-ratelimit-reset": String(Math.ceil(now / 1_000) + 3_600),
      "x-ratelimit-resource": "core",
      ...headers,
    });
    const content = body === undefined ? (text ?? "") : JSON.stringify(body);
    response.end(isCut ? content.slice(0, content.length / 2) : content);
  }

  /** `/repositories/{id}/…` is where a renamed repository redirects to. */
  #urlOf(target: string): URL {
    const url = new URL(`${this.#core.webUrl}${target}`);
    const byId = /^\/api\/v3\/repositories\/(\d+)(\/.*)?$/.exec(url.pathname);
    const repository = this.#core.world.repositories.find(({ id }) => id === Number(byId?.[1]));
    if (repository) url.pathname = `/api/v3/repos/${fullNameOf(repository)}${byId?.[2] ?? ""}`;
    return url;
  }

  #record(
    route: string,
    url: URL,
    body: JsonObject,
    { headers }: IncomingMessage,
    fault: GitHubFault | undefined,
  ): RecordedCall {
    const { authorization } = headers;
    const caller = findCaller(this.#core, tokenOf(authorization ?? ""));
    return {
      route,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      authKind: authKindOf(authorization),
      body,
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name, String(value)]),
      ),
      ...(caller?.kind === "installation" ? { installationId: caller.installation.id } : {}),
      ...(fault ? { fault } : {}),
    };
  }
}

// https://docs.github.com/rest/using-the-rest-api/getting-started-with-the-rest-api#user-agent-required
function assertWellMannered(headers: IncomingMessage["headers"]): void {
  if (headers["user-agent"] === undefined) {
    throw new Refusal(403, "Request forbidden by administrative rules: it has no User-Agent.");
  }
}

function refusalAnswer({ message, details, headers, status: own }: Refusal, status = own): Answer {
  const documentation_url = "https://docs.github.com/rest";
  return { status, headers, body: { message, ...details, documentation_url, status: `${status}` } };
}

/** Reads JSON or form fields; what cannot be read is an empty object. */
function parseBody(contentType: string | undefined, body: string): JsonObject {
  if (contentType?.startsWith("application/x-www-form-urlencoded")) {
    return Object.fromEntries(new URLSearchParams(body));
  }
  try {
    const parsed: unknown = JSON.parse(body);
    return isObject(parsed) ? parsed : {};
  } catch {
    return {};
  }
}
