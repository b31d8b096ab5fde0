import type { RawAnswer, RawRequest, RawRoute } from "#platform";
import type { IdentityDeps } from "../deps.ts";
import { page } from "../page.ts";
import { NO_SESSION_COOKIE, readSessionCookie, sessionCookie } from "./cookie.ts";
import { isFromThisMachine, isOwnPage } from "./guards.ts";
import { SESSION_SECONDS, startSession, stopSession } from "./login.ts";

/** `GET /login?token=…` and `POST /logout`, for browsers on this machine only. */
export function localRoutes(deps: IdentityDeps): readonly RawRoute[] {
  return [
    { method: "GET", path: "/login", bodyBytesMax: 0, handle: (request) => login(deps, request) },
    {
      method: "POST",
      path: "/logout",
      bodyBytesMax: 1_024,
      handle: (request) => logout(deps, request),
    },
  ];
}

async function login(deps: IdentityDeps, request: RawRequest): Promise<RawAnswer> {
  if (!isLocalBrowser(request, "GET")) return refused();
  const token = await startSession(deps, request.query.get("token") ?? "");
  if (!token) {
    return page(401, "This link is used up", [
      "A login link works once and for a quarter of an hour.",
      "Make a new one with: npx infragpt login",
    ]);
  }
  return {
    status: 303,
    headers: { location: "/", "set-cookie": sessionCookie(token, SESSION_SECONDS) },
  };
}

async function logout(deps: IdentityDeps, request: RawRequest): Promise<RawAnswer> {
  if (!isLocalBrowser(request, "POST")) return refused();
  const token = readSessionCookie(request.headers["cookie"]);
  if (token !== undefined) await stopSession(deps, token);
  return { status: 303, headers: { location: "/", "set-cookie": NO_SESSION_COOKIE } };
}

function isLocalBrowser({ remoteAddress, headers }: RawRequest, method: string): boolean {
  const origin = {
    peer: remoteAddress,
    method,
    host: headers["host"],
    origin: headers["origin"],
  };
  return isFromThisMachine(origin) && isOwnPage(origin);
}

function refused(): RawAnswer {
  return page(403, "Not from here", [
    "Local mode serves browsers on the machine it runs on, at localhost.",
  ]);
}
