import {
  ConnectorError,
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
  const waitMs = limitWaitMs(refusal, nowMs);
  if (waitMs !== undefined) {
    const message = `GitHub limits calls and wants a pause before ${call}`;
    return new ConnectorError("rate_limited", message, { vendorCode, retryAfterMs: waitMs });
  }
  const [method = "GET"] = call.split(" ", 1);
  const said = status < 500 && status !== 401 ? describe(data) : "";
  const message = `GitHub answered ${status} to ${call}${said && `: ${said}`}`;
  return new ConnectorError(kindOfStatus(status, method), message, { vendorCode });
}

const LIMIT_WAIT_MS = { min: 1_000, max: 3_600_000 } as const;

/** Limits are told by 429 or by 403: https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api (2026-11). */
function limitWaitMs({ status, headers }: Refusal, nowMs: number): number | undefined {
  const retryAfter = headers["retry-after"];
  const isSpent = String(headers["x-ratelimit-remaining"]) === "0";
  const isLimit = status === 429 || (status === 403 && (retryAfter !== undefined || isSpent));
  if (!isLimit) return undefined;
  const resetMs = Number(headers["x-ratelimit-reset"]) * 1_000 - nowMs;
  if (retryAfter === undefined && isSpent && Number.isFinite(resetMs)) {
    return Math.min(LIMIT_WAIT_MS.max, Math.max(LIMIT_WAIT_MS.min, resetMs));
  }
  const wait = typeof retryAfter === "string" ? retryAfter : "";
  return retryAfterMsIn(new Headers({ "retry-after": wait }), nowMs);
}

const SAID_CHARACTERS_MAX = 300;

/** GitHub's own words, which say what is wrong with a request: "Validation Failed (No commits between main and fix)". */
function describe(data: unknown): string {
  if (!isRecord(data)) return "";
  const errors = Array.isArray(data["errors"]) ? data["errors"] : [];
  const details = errors.flatMap((error) =>
    isRecord(error) ? (textIn(error, "message") ?? textIn(error, "code") ?? []) : [],
  );
  const said = textIn(data, "message") ?? "";
  const text = details.length > 0 ? `${said} (${details.join("; ")})` : said;
  return cutText(text.replaceAll(/[\p{Cc}\p{Cf}]+/gu, " "), SAID_CHARACTERS_MAX);
}
