import { verify } from "node:crypto";

import type { AppIdentity } from "./app-identity.ts";
import { isObject } from "./json.ts";
import type { JsonObject } from "./model.ts";
import { Refusal } from "./refusal.ts";

// https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
const LIFETIME_SECONDS_MAX = 600;
const CLOCK_SLACK_SECONDS = 60;

/** Throws a 401 unless the App signed the token and its times are in bounds; a 404 for another App's id. */
export function assertAppJwt(token: string, app: AppIdentity, nowMs: number): void {
  const [header = "", claims = "", signature = ""] = token.split(".");
  const signed = Buffer.from(`${header}.${claims}`);
  const isSigned =
    readPart(header)["alg"] === "RS256" &&
    verify("sha256", signed, app.publicKey, Buffer.from(signature, "base64url"));
  if (!isSigned) throw new Refusal(401, "A JSON web token could not be decoded");

  const { iss, iat, exp } = readPart(claims);
  const now = nowMs / 1_000;
  if (String(iss) !== app.appId && iss !== app.clientId) {
    throw new Refusal(404, "Integration not found");
  }
  // Clients recognize these three sentences and correct their clock by our date header.
  if (typeof iat !== "number" || iat > now + CLOCK_SLACK_SECONDS) {
    throw new Refusal(
      401,
      "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
    );
  }
  if (typeof exp !== "number" || exp <= now) {
    throw new Refusal(
      401,
      "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
    );
  }
  if (exp > now + LIFETIME_SECONDS_MAX) {
    throw new Refusal(401, "'Expiration time' claim ('exp') is too far in the future");
  }
}

function readPart(part: string): JsonObject {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(part, "base64url").toString());
    return isObject(parsed) ? parsed : {};
  } catch {
    return {};
  }
}
