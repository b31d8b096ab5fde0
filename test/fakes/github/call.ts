import type { IncomingHttpHeaders } from "node:http";

import type { Caller } from "./caller.ts";
import type { Core } from "./core.ts";
import type { JsonObject, RecordedCall } from "./model.ts";
import { notFound } from "./refusal.ts";

/** One request that found its route and is allowed to be there. */
export interface Call<C extends Caller = Caller> {
  readonly core: Core;
  readonly parameters: Readonly<Record<string, string>>;
  readonly url: URL;
  readonly body: JsonObject;
  readonly headers: IncomingHttpHeaders;
  readonly caller: C;
}

export interface Answer {
  readonly status: number;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, when there is no `body`. */
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Route {
  /** Method and path, as GitHub's documentation writes them. */
  readonly name: string;
  readonly auth: RecordedCall["authKind"];
  /** Where the path begins: below /api/v3 or at the root. */
  readonly base: "api" | "web";
  /** A write that a retry would do twice. */
  readonly isChange: boolean;
  run(call: Call): Answer;
}

interface RouteOptions {
  readonly isChange?: boolean;
}

/** A route for the App itself, with its JWT. */
export function appRoute(
  name: string,
  run: (call: Call) => Answer,
  { isChange = false }: RouteOptions = {},
): Route {
  return { name, auth: "app", base: "api", isChange, run };
}

/** A route for a signed-in person. */
export function userRoute(
  name: string,
  run: (call: Call<Extract<Caller, { kind: "user" }>>) => Answer,
): Route {
  return {
    name,
    auth: "user",
    base: "api",
    isChange: false,
    run(call) {
      const { caller } = call;
      if (caller.kind !== "user") throw notFound();
      return run({ ...call, caller });
    },
  };
}

/** A route for an installation token. */
export function installationRoute(
  name: string,
  run: (call: Call<Extract<Caller, { kind: "installation" }>>) => Answer,
  { isChange = false }: RouteOptions = {},
): Route {
  return {
    name,
    auth: "installation",
    base: "api",
    isChange,
    run(call) {
      const { caller } = call;
      if (caller.kind !== "installation") throw notFound();
      return run({ ...call, caller });
    },
  };
}

/** A page of the website, or a service beside the API. */
export function webRoute(name: string, run: (call: Call) => Answer): Route {
  return { name, auth: "none", base: "web", isChange: false, run };
}

export function parameter({ parameters }: Pick<Call, "parameters">, name: string): string {
  const value = parameters[name];
  if (value === undefined) throw new Error(`the route has no parameter ${name}`);
  return value;
}

/** A number in the path; what is none does not exist. */
export function numberParameter(call: Pick<Call, "parameters">, name: string): number {
  const value = Number(parameter(call, name));
  if (!Number.isSafeInteger(value)) throw notFound();
  return value;
}

export function query({ url }: Pick<Call, "url">, name: string): string | undefined {
  const value = url.searchParams.get(name);
  return value === null || value === "" ? undefined : value;
}

/** Whether the accept header names a media type of GitHub's, such as "diff" or "raw". */
export function accepts({ headers }: Pick<Call, "headers">, kind: string): boolean {
  return new RegExp(`application/vnd\\.github\\.(?:v3\\.)?${kind}\\b`).test(headers.accept ?? "");
}
