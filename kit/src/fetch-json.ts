import { ConnectorError, type ConnectorErrorKind } from "./errors.ts";
import { fetchWhole, type VendorRequest } from "./fetch-whole.ts";

/** One call to a vendor's HTTP API that answers JSON. */
export interface JsonRequest extends Omit<VendorRequest, "body"> {
  /** Sent as JSON; give a string or URLSearchParams to send it as it is. */
  readonly body?: unknown;
}

export interface JsonAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Undefined for an answer without a body. Read it as untrusted. */
  readonly body: unknown;
}

const RETRY_AFTER_DEFAULT_MS = 30_000;

/**
 * Makes one attempt and throws ConnectorError for everything but a 2xx, in the words that decide
 * what happens next. Messages name the action and the status; neither they nor the cause hold what
 * the vendor answered, because vendors repeat what they were sent.
 */
export async function fetchJson(request: JsonRequest): Promise<JsonAnswer> {
  const { body, headers: given, ...rest } = request;
  const isRaw = body === undefined || typeof body === "string" || body instanceof URLSearchParams;
  const response = await fetchWhole({
    ...rest,
    headers: {
      accept: "application/json",
      ...(isRaw ? {} : { "content-type": "application/json" }),
      ...given,
    },
    ...(body === undefined ? {} : { body: isRaw ? body : JSON.stringify(body) }),
  });
  const { status, headers } = response;
  if (!response.ok) throw refusal(request, response);
  const text = await response.text();
  try {
    return { status, headers, body: text === "" ? undefined : (JSON.parse(text) as unknown) };
  } catch {
    const { vendor, action } = request;
    throw new ConnectorError("uncertain", `the answer of ${vendor} to ${action} is not JSON`);
  }
}

const KIND_BY_STATUS: ReadonlyMap<number, ConnectorErrorKind> = new Map([
  [401, "unauthorized"],
  [403, "missing_permission"],
  [410, "gone"],
  [429, "rate_limited"],
]);

function refusal(
  { vendor, action, method = "GET" }: JsonRequest,
  { status, headers }: Response,
): ConnectorError {
  const vendorCode = `http_${status}`;
  const message = `${vendor} answered ${status} to ${action}`;
  if (status === 429) {
    return new ConnectorError("rate_limited", message, {
      vendorCode,
      retryAfterMs: retryAfterMsIn(headers, Date.now()),
    });
  }
  return new ConnectorError(kindOfStatus(status, method), message, { vendorCode });
}

/** What a status says by itself. A server that fails half-way through a change may have made it. */
export function kindOfStatus(status: number, method: string): ConnectorErrorKind {
  if (status >= 500) return method === "GET" ? "unavailable" : "uncertain";
  return KIND_BY_STATUS.get(status) ?? "rejected";
}

/** Seconds or a date: RFC 9110, section 10.2.3. Between a second and an hour. */
export function retryAfterMsIn(headers: Pick<Headers, "get">, nowMs: number): number {
  const text = headers.get("retry-after") ?? "";
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs;
  if (Number.isNaN(seconds)) return RETRY_AFTER_DEFAULT_MS;
  return Math.min(3_600_000, Math.max(1_000, seconds));
}
