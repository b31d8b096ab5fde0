import { ConnectorError, type ConnectorErrorKind } from "./errors.ts";

/** One call to a vendor's HTTP API. */
export interface JsonRequest {
  /** For messages: "Beacon". */
  readonly vendor: string;
  /** What it does, for messages: "list services". No secret, no address. */
  readonly action: string;
  readonly url: string | URL;
  /** GET by default. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; give a string or URLSearchParams to send it as it is. */
  readonly body?: unknown;
  readonly timeoutMs: number;
  /** 5 MiB by default. */
  readonly answerBytesMax?: number;
  /** Where the address comes from a tenant, the guarded one of the service. Redirects are never followed. */
  readonly fetch?: typeof fetch;
  readonly signal: AbortSignal;
}

export interface JsonAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Undefined for an answer without a body. Read it as untrusted. */
  readonly body: unknown;
}

const ANSWER_BYTES_MAX = 5 * 1024 * 1024;
const RETRY_AFTER_DEFAULT_MS = 30_000;

/**
 * Makes one attempt and throws ConnectorError for everything but a 2xx, in the words that decide
 * what happens next. Messages name the action and the status; neither they nor the cause hold what
 * the vendor answered, because vendors repeat what they were sent.
 */
export async function fetchJson(request: JsonRequest): Promise<JsonAnswer> {
  const isRead = (request.method ?? "GET") === "GET";
  const response = await send(request);
  const { status, headers } = response;
  try {
    const text = await readText(response, request.answerBytesMax ?? ANSWER_BYTES_MAX);
    if (!response.ok) throw refusal(request, response, isRead);
    return { status, headers, body: text === "" ? undefined : (JSON.parse(text) as unknown) };
  } catch (error) {
    if (error instanceof ConnectorError) throw error;
    const { vendor, action } = request;
    const message = `the answer of ${vendor} to ${action} was cut off or is not JSON`;
    throw new ConnectorError("uncertain", message);
  }
}

async function send(request: JsonRequest): Promise<Response> {
  const { body, headers, timeoutMs, vendor, action } = request;
  const isRaw = body === undefined || typeof body === "string" || body instanceof URLSearchParams;
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(timeoutMs)]);
  try {
    signal.throwIfAborted();
    return await (request.fetch ?? fetch)(request.url, {
      method: request.method ?? "GET",
      redirect: "manual",
      headers: {
        accept: "application/json",
        ...(isRaw ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isRaw ? body : JSON.stringify(body) }),
      signal,
    });
  } catch (error) {
    if (error instanceof ConnectorError) throw error;
    const code = networkCodeOf(error);
    if (code !== undefined && NOT_SENT.has(code)) {
      throw new ConnectorError("unavailable", `${vendor} cannot be reached to ${action}: ${code}`, {
        vendorCode: code,
      });
    }
    const why = signal.aborted ? "was given up" : "was cut off";
    throw new ConnectorError(
      "uncertain",
      `${vendor}: to ${action} ${why}`,
      code === undefined ? {} : { vendorCode: code },
    );
  }
}

async function readText(response: Response, bytesMax: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > bytesMax) throw new RangeError("The answer is too large.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

const KIND_BY_STATUS: ReadonlyMap<number, ConnectorErrorKind> = new Map([
  [401, "unauthorized"],
  [403, "missing_permission"],
  [410, "gone"],
  [429, "rate_limited"],
]);

function refusal(
  { vendor, action }: JsonRequest,
  { status, headers }: Response,
  isRead: boolean,
): ConnectorError {
  const vendorCode = `http_${status}`;
  const message = `${vendor} answered ${status} to ${action}`;
  if (status === 429) {
    return new ConnectorError("rate_limited", message, {
      vendorCode,
      retryAfterMs: retryAfterMsIn(headers, Date.now()),
    });
  }
  // A server that fails half-way through a change may have made it.
  const failed = isRead ? "unavailable" : "uncertain";
  const kind = status >= 500 ? failed : (KIND_BY_STATUS.get(status) ?? "rejected");
  return new ConnectorError(kind, message, { vendorCode });
}

/** Seconds or a date: RFC 9110, section 10.2.3. Between a second and an hour. */
export function retryAfterMsIn(headers: Headers, nowMs: number): number {
  const text = headers.get("retry-after") ?? "";
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs;
  if (Number.isNaN(seconds)) return RETRY_AFTER_DEFAULT_MS;
  return Math.min(3_600_000, Math.max(1_000, seconds));
}

/** Failures before a byte of the request left. */
const NOT_SENT: ReadonlySet<string> = new Set([
  "EACCES",
  "EADDRNOTAVAIL",
  "EAI_AGAIN",
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETDOWN",
  "ENETUNREACH",
  "ENOTFOUND",
  "UND_ERR_CONNECT_TIMEOUT",
]);

function networkCodeOf(error: unknown): string | undefined {
  let current: unknown = error;
  for (let depth = 0; depth < 5 && current instanceof Error; depth += 1) {
    if ("code" in current && typeof current.code === "string") return current.code;
    current = current.cause;
  }
  return undefined;
}
