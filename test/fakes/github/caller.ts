import { assertAppJwt } from "./app-jwt.ts";
import type { Core } from "./core.ts";
import type { InstallationToken } from "./credentials.ts";
import type { RecordedCall } from "./model.ts";
import type { Account } from "./records.ts";
import { Refusal, badCredentials, notAccessible } from "./refusal.ts";

/** Who calls, once that is proven. */
export type Caller =
  | { readonly kind: "none" }
  | { readonly kind: "app" }
  | ({ readonly kind: "installation" } & InstallationToken)
  | { readonly kind: "user"; readonly user: Account };

type AuthKind = RecordedCall["authKind"];

/** What an authorization header looks like, before anything is checked. */
export function authKindOf(authorization: string | undefined): AuthKind {
  if (authorization === undefined) return "none";
  if (/^basic /i.test(authorization)) return "basic";
  const token = tokenOf(authorization);
  if (token.startsWith("ghs_")) return "installation";
  if (token.startsWith("ghu_")) return "user";
  return token.split(".").length === 3 ? "app" : "none";
}

/** Throws unless the caller is of the kind that a route is for. */
export function authenticate(
  core: Core,
  authorization: string | undefined,
  wanted: AuthKind,
): Caller {
  // A route with basic auth or none looks at the header itself.
  if (wanted === "none" || wanted === "basic") return { kind: "none" };
  if (authorization === undefined) throw new Refusal(401, "Requires authentication");
  const kind = authKindOf(authorization);
  if (kind === "app") {
    if (wanted !== "app") throw badCredentials();
    assertAppJwt(tokenOf(authorization), core.app, core.world.now());
    core.credentials.remember(tokenOf(authorization));
    return { kind };
  }
  const caller = findCaller(core, tokenOf(authorization));
  if (!caller) throw badCredentials();
  if (wanted === "app") throw new Refusal(401, "A JSON web token could not be decoded");
  if (caller.kind !== wanted) throw notAccessible();
  if (caller.kind === "installation" && caller.installation.suspendedAtMs !== undefined) {
    throw suspended();
  }
  return caller;
}

export function findCaller(core: Core, token: string): Caller | undefined {
  const issued = core.credentials.findInstallationToken(token);
  if (issued) return { kind: "installation", ...issued };
  const user = core.credentials.findUser(token);
  return user && { kind: "user", user };
}

export function suspended(): Refusal {
  return new Refusal(403, "This installation has been suspended");
}

export function tokenOf(authorization: string): string {
  return authorization.replace(/^(?:bearer|token) /i, "");
}
