import {
  ConnectorError,
  type ConnectorErrorKind,
  isRecord,
  recordIn,
  textIn,
  isNotSent,
  networkCodeOf,
} from "@infragpt/connector-kit";
import {
  WebAPIHTTPError,
  WebAPIPlatformError,
  WebAPIRateLimitedError,
  WebAPIRequestError,
} from "@slack/web-api";

/**
 * Says in the kit's words why a call of the Web API failed. Slack's answers are left out of the
 * cause: they repeat message text.
 */
export function toConnectorError(error: unknown, method: string): ConnectorError {
  if (error instanceof ConnectorError) return error;
  if (error instanceof WebAPIRateLimitedError) {
    return rateLimited(method, error.retryAfter * 1_000);
  }
  if (error instanceof WebAPIPlatformError) return fromPlatformError(error, method);
  if (error instanceof WebAPIHTTPError) return fromHttpStatus(error.statusCode, method);
  const original = error instanceof WebAPIRequestError ? error.original : error;
  return fromNetworkError(original, method);
}

/** Where Slack gives no usable Retry-After. */
const RETRY_AFTER_DEFAULT_MS = 30_000;

function rateLimited(method: string, retryAfterMs: number): ConnectorError {
  const usable = Number.isFinite(retryAfterMs) && retryAfterMs >= 0;
  return new ConnectorError("rate_limited", `Slack limits ${method}: try again later`, {
    vendorCode: "ratelimited",
    retryAfterMs: usable ? retryAfterMs : RETRY_AFTER_DEFAULT_MS,
  });
}

/** https://docs.slack.dev/reference/methods/chat.postMessage and auth.test, errors (2026-11). */
const KIND_BY_CODE: ReadonlyMap<string, ConnectorErrorKind> = new Map([
  ...kinds("rate_limited", "ratelimited", "rate_limited", "message_limit_exceeded"),
  ...kinds("unavailable", "service_unavailable", "team_added_to_org", "org_login_required"),
  // Slack: "some aspect of the operation may have succeeded before the error was raised".
  ...kinds("uncertain", "internal_error", "fatal_error", "request_timeout"),
  ...kinds("unauthorized", "invalid_auth", "not_authed", "token_revoked", "token_expired"),
  ...kinds("unauthorized", "invalid_refresh_token", "invalid_grant"),
  ...kinds("unauthorized", "account_inactive", "app_not_installed", "team_not_found"),
  ...kinds("missing_permission", "missing_scope", "no_permission", "not_allowed_token_type"),
  ...kinds("missing_permission", "ekm_access_denied", "access_denied", "restricted_action"),
  ...kinds("missing_permission", "restricted_action_read_only_channel", "team_access_not_granted"),
  ...kinds("missing_permission", "restricted_action_thread_only_channel"),
  ...kinds("missing_permission", "restricted_action_non_threadable_channel"),
  ...kinds("not_member", "not_in_channel"),
  ...kinds("gone", "is_archived", "channel_not_found", "channel_is_archived", "thread_not_found"),
  ...kinds("gone", "message_not_found", "user_not_found", "is_inactive"),
]);

function* kinds(
  kind: ConnectorErrorKind,
  ...codes: readonly string[]
): Iterable<[string, ConnectorErrorKind]> {
  for (const code of codes) yield [code, kind];
}

function fromPlatformError(error: WebAPIPlatformError, method: string): ConnectorError {
  const data: unknown = error.data;
  const code = isRecord(data) ? textIn(data, "error") : undefined;
  if (code === undefined || !/^[a-z][a-z0-9_.:-]{1,99}$/i.test(code)) {
    // The client puts a body that is not JSON here: a proxy answered, and Slack may have acted.
    const message = `the answer to ${method} is not from Slack: look before trying again`;
    return new ConnectorError("uncertain", message);
  }
  const kind = KIND_BY_CODE.get(code) ?? "rejected";
  if (kind === "rate_limited") {
    const metadata = isRecord(data) ? recordIn(data, "response_metadata") : {};
    return rateLimited(method, Number(metadata["retryAfter"]) * 1_000);
  }
  const scope = isRecord(data) ? textIn(data, "needed") : undefined;
  const needed = kind === "missing_permission" && scope ? ` (needs ${scope.slice(0, 200)})` : "";
  return new ConnectorError(kind, `Slack refused ${method}: ${code}${needed}`, {
    vendorCode: code,
  });
}

/**
 * A gateway that gives up, and Slack when it fails half-way, may have performed the call. A look
 * costs one read; a second message in the thread costs trust.
 */
function fromHttpStatus(status: number, method: string): ConnectorError {
  const vendorCode = `http_${status}`;
  if (status === 429) return rateLimited(method, Number.NaN);
  const kind = status >= 500 ? "uncertain" : "rejected";
  return new ConnectorError(kind, `Slack answered ${method} with HTTP ${status}`, { vendorCode });
}

function fromNetworkError(error: unknown, method: string): ConnectorError {
  const code = networkCodeOf(error);
  if (code !== undefined && isNotSent(code)) {
    return new ConnectorError("unavailable", `Slack cannot be reached for ${method}: ${code}`, {
      vendorCode: code,
      cause: error,
    });
  }
  // The client hides a 429 without a number in a plain error; fetch names every other cause.
  const isBare429 = error instanceof Error && error.message.startsWith("Retry header did not");
  if (isBare429) return rateLimited(method, Number.NaN);
  const name = error instanceof Error ? error.name : "unknown";
  const why = name === "TimeoutError" || name === "AbortError" ? "was given up" : "was cut off";
  return new ConnectorError("uncertain", `${method} ${why}: look before trying again`, {
    vendorCode: code ?? name,
    cause: error,
  });
}
