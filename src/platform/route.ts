import type { z } from "zod";
import type { Abortable } from "./abort.ts";
import type { Principal } from "./principal.ts";

export type HttpMethod = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** Who may call a route: anyone, anyone we know, or whoever holds a permission. */
export type RouteAccess = "public" | "principal" | { readonly permission: string };

export interface RouteRequest<Params, Query, Body, Caller> extends Abortable {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly principal: Caller;
  readonly requestId: string;
  /** A header of the answer, such as Set-Cookie. Call it last: an error keeps it. */
  readonly setHeader: (name: string, value: string) => void;
}

interface RouteFacts {
  readonly method: HttpMethod;
  /** With parameters as ":name". A trailing slash is always optional. */
  readonly path: string;
  /** One sentence for the OpenAPI document. */
  readonly summary: string;
  readonly tags?: readonly string[];
  /** Of a good answer; 200 by default. */
  readonly status?: number;
}

export interface RouteDefinition<
  Access extends RouteAccess,
  Params extends z.ZodType,
  Query extends z.ZodType,
  Body extends z.ZodType,
  Answer extends z.ZodType,
> extends RouteFacts {
  readonly access: Access;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  /** Fields that are not in the schema never leave. Plain JSON types only: dates as `z.iso.datetime()`. */
  readonly answer: Answer;
  /** Throws AppError for what the caller did wrongly. */
  handle(
    request: RouteRequest<
      z.output<Params>,
      z.output<Query>,
      z.output<Body>,
      Access extends "public" ? undefined : Principal
    >,
  ): Promise<z.output<Answer>>;
}

/** One JSON endpoint, as the server takes it. */
export interface Route extends RouteFacts {
  readonly access: RouteAccess;
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  readonly answer: z.ZodType;
  handle(request: RouteRequest<unknown, unknown, unknown, Principal | undefined>): Promise<unknown>;
}

/**
 * Declares a JSON endpoint: the schemas check what comes in and goes out, give `handle` its types
 * and become the OpenAPI document.
 */
export function route<
  const Access extends RouteAccess,
  Answer extends z.ZodType,
  Params extends z.ZodType = z.ZodUndefined,
  Query extends z.ZodType = z.ZodUndefined,
  Body extends z.ZodType = z.ZodUndefined,
>(definition: RouteDefinition<Access, Params, Query, Body, Answer>): Route {
  // `handle` is only ever called with what these very schemas let through.
  return definition;
}

export interface RawRequest extends Abortable {
  /** Without the query. */
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  /** Lower-case names. A repeated header is joined with ", ". */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The bytes as they came: signatures cover bytes. */
  readonly body: Uint8Array;
  readonly query: URLSearchParams;
  readonly remoteAddress: string;
  readonly receivedAt: Date;
}

export interface RawAnswer {
  readonly status: number;
  /** "text/plain; charset=utf-8" by default where there is a body. */
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** An endpoint that sees raw bytes and answers anything: webhooks, redirects, pages. Not in the OpenAPI document. */
export interface RawRoute {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly bodyBytesMax: number;
  handle(request: RawRequest): Promise<RawAnswer>;
}
