import { AppError } from "#platform";
import type { ConnectionOptions } from "./pool.ts";

/** Throws AppError("invalid_request") without the URL, which holds the password. */
export function parseDatabaseUrl(text: string): ConnectionOptions {
  if (!URL.canParse(text)) throw badUrl("is not a URL");
  const url = new URL(text);
  if (url.protocol !== "postgres:" && url.protocol !== "postgresql:") {
    throw badUrl("does not begin with postgres://");
  }
  const user = decodeURIComponent(url.username);
  const ssl = sslOf(url.searchParams.get("sslmode"));
  return {
    host: url.searchParams.get("host") ?? hostOf(url),
    port: url.port === "" ? 5432 : Number(url.port),
    user,
    password: decodeURIComponent(url.password),
    database: decodeURIComponent(url.pathname.slice(1)) || user,
    ...(ssl === undefined ? {} : { ssl }),
  };
}

function hostOf(url: URL): string {
  // A literal IPv6 address stands in brackets in a URL, and without them everywhere else.
  return url.hostname.replace(/^\[|\]$/g, "") || "localhost";
}

/** As libpq reads sslmode: `require` encrypts without looking at the certificate, `verify-full` looks. */
function sslOf(mode: string | null): ConnectionOptions["ssl"] {
  switch (mode) {
    case null:
    case "disable":
    case "allow":
    case "prefer":
      return undefined;
    case "require":
    case "no-verify":
      return { rejectUnauthorized: false };
    case "verify-ca":
    case "verify-full":
      return { rejectUnauthorized: true };
    default:
      throw badUrl(`has an unknown sslmode "${mode.slice(0, 20)}"`);
  }
}

function badUrl(what: string): AppError {
  return new AppError(
    "invalid_request",
    `database.url ${what}: write postgres://user:password@host:5432/database.`,
  );
}
