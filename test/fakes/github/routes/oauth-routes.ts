import { isBelow } from "../browser.ts";
import { type Answer, type Call, type Route, webRoute } from "../call.ts";
import { textOf } from "../json.ts";
import type { JsonObject } from "../model.ts";
import { Refusal, invalid, notFound } from "../refusal.ts";

/** How a person's code becomes a token. */
export const OAUTH_ROUTES: readonly Route[] = [
  webRoute("POST /login/oauth/access_token", (call) => {
    const body = exchange(call);
    if (call.headers.accept?.includes("json")) return { status: 200, body };
    const fields = Object.entries(body).map(([name, value]) => [name, String(value)]);
    return {
      status: 200,
      text: new URLSearchParams(fields).toString(),
      headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
    };
  }),
  {
    name: "DELETE /applications/{client_id}/token",
    auth: "basic",
    base: "api",
    isChange: false,
    run: revoke,
  },
];

/** Every failure is an answer with 200. */
function exchange({ core, body }: Call): JsonObject {
  const { app, credentials } = core;
  if (body["client_id"] !== app.clientId || body["client_secret"] !== app.clientSecret) {
    return failure(
      "incorrect_client_credentials",
      "The client_id and/or client_secret passed are incorrect.",
    );
  }
  if (body["grant_type"] === "refresh_token") {
    const refreshed = credentials.useRefreshToken(textOf(body["refresh_token"]) ?? "");
    if (refreshed) return { ...credentials.issueUserTokens(refreshed), ...KIND };
    return failure("bad_refresh_token", "The refresh token passed is incorrect or expired.");
  }
  const code = textOf(body["code"]) ?? "";
  const found = credentials.findCode(code, textOf(body["code_verifier"]));
  if (!found) {
    return failure("bad_verification_code", "The code passed is incorrect or expired.");
  }
  const redirectUri = textOf(body["redirect_uri"]);
  if (redirectUri !== undefined && !isSame(redirectUri, found.redirectUri)) {
    return failure(
      "redirect_uri_mismatch",
      "The redirect_uri MUST match the registered callback URL for this application.",
    );
  }
  credentials.useCode(code);
  return { ...credentials.issueUserTokens(found.user), ...KIND };
}

const KIND = { token_type: "bearer", scope: "" };

function failure(error: string, description: string): JsonObject {
  return { error, error_description: description, error_uri: "https://docs.github.com/apps" };
}

function isSame(redirectUri: string, other: string): boolean {
  try {
    return isBelow(redirectUri, other) && isBelow(other, redirectUri);
  } catch {
    return false;
  }
}

function revoke({ core, body, headers, parameters }: Call): Answer {
  const { clientId, clientSecret } = core.app;
  const expected = Buffer.from(`${clientId}:${clientSecret}`).toString("base64");
  if (headers.authorization?.replace(/^basic /i, "") !== expected) {
    throw new Refusal(401, "Bad credentials");
  }
  if (parameters["client_id"] !== clientId) throw notFound();
  const token = textOf(body["access_token"]);
  if (token === undefined) throw invalid({ resource: "OauthAccess", code: "missing_field" });
  if (!core.credentials.revokeUserToken(token)) throw notFound();
  return { status: 204 };
}
