import {
  ConnectorError,
  arrayIn,
  cutText,
  isRecord,
  kindOfStatus,
  retryAfterMsIn,
  textIn,
} from "@infragpt/connector-kit";

/** What GitHub answered instead of a success. */
export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly data: unknown;
  /** "GET /repos/acme/payments/commits". */
  readonly call: string;
}

/** What a refusal means for whoever called: https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api (2026-11). */
export function toConnectorError(refusal: Refusal, nowMs: number): ConnectorError {
  const { status, call, data } = refusal;
  const vendorCode = `http_${status}`;
  // Their clock is the one that the times in their answers are of.
  const theirMs = Date.parse(String(refusal.headers["date"]));
  const waitMs = limitWaitMs(refusal, Number.isNaN(theirMs) ? nowMs : theirMs);
  if (waitMs !== undefined) {
    const message = `GitHub limits calls and wants a pause before ${call}`;
    return new ConnectorError("rate_limited", message, { vendorCode, retryAfterMs: waitMs });
  }
  const [method = "GET"] = call.split(" ", 1);
  const said = status < 500 && status !== 401 ? describe(data) : "";
  const message = `GitHub answered ${status} to ${call}${said && `: ${said}`}`;
  return new ConnectorError(kindOfStatus(status, method), message, { vendorCode });
}

const LIMIT_WAIT_MS = { min: 1_000, unknown: 60_000, max: 3_600_000 } as const;

/**
 * Limits are told by 429 or by 403, the wait by one of two headers, and by neither it is a minute:
 * https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api (2026-11).
 */
function limitWaitMs({ status, headers, data }: Refusal, nowMs: number): number | undefined {
  const retryAfter = headers["retry-after"];
  const isSpent = String(headers["x-ratelimit-remaining"]) === "0";
  const isTold = retryAfter !== undefined || isSpent || isAboutLimits(data);
  if (status !== 429 && !(status === 403 && isTold)) return undefined;
  if (typeof retryAfter === "string") {
    return retryAfterMsIn(new Headers({ "retry-after": retryAfter }), nowMs);
  }
  const resetMs = Number(headers["x-ratelimit-reset"]) * 1_000 - nowMs;
  if (!isSpent || !Number.isFinite(resetMs)) return LIMIT_WAIT_MS.unknown;
  return Math.min(LIMIT_WAIT_MS.max, Math.max(LIMIT_WAIT_MS.min, resetMs));
}

/** The page that a refusal points to is the only code that it has. */
function isAboutLimits(data: unknown): boolean {
  return (
    isRecord(data) && textIn(data, "documentation_url")?.endsWith("secondary-rate-limits") === true
  );
}

const SAID_CHARACTERS_MAX = 300;

/** GitHub's own words, which say what is wrong with a request: "Validation Failed (No commits between main and fix)". */
function describe(data: unknown): string {
  if (!isRecord(data)) return "";
  const details = arrayIn(data, "errors")
    .map(detailOf)
    .filter((detail) => detail !== "");
  const said = textIn(data, "message") ?? "";
  const text = details.length > 0 ? `${said} (${details.join("; ")})` : said;
  return cutText(text.replaceAll(/[\p{Cc}\p{Cf}]+/gu, " "), SAID_CHARACTERS_MAX);
}

/** A sentence, or a field and what it is: "head: invalid". */
function detailOf(error: unknown): string {
  if (typeof error === "string") return error;
  if (!isRecord(error)) return "";
  const field = textIn(error, "field");
  const code = textIn(error, "code") ?? "";
  return textIn(error, "message") ?? (field === undefined ? code : `${field}: ${code}`);
}
