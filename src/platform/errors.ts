/**
 * Every failure that a caller may see has one of these codes. The table is the only place that
 * maps them to HTTP and gRPC (numbers of `grpc.status`).
 */
const STATUS = {
  invalid_request: { http: 400, grpc: 3 },
  unauthenticated: { http: 401, grpc: 16 },
  forbidden: { http: 403, grpc: 7 },
  not_found: { http: 404, grpc: 5 },
  method_not_allowed: { http: 405, grpc: 12 },
  request_timeout: { http: 408, grpc: 4 },
  conflict: { http: 409, grpc: 10 },
  payload_too_large: { http: 413, grpc: 11 },
  unsupported_media_type: { http: 415, grpc: 3 },
  headers_too_large: { http: 431, grpc: 11 },
  rate_limited: { http: 429, grpc: 8 },
  cancelled: { http: 499, grpc: 1 },
  internal: { http: 500, grpc: 13 },
  unavailable: { http: 503, grpc: 14 },
  timeout: { http: 504, grpc: 4 },
} as const;

export type ErrorCode = keyof typeof STATUS;

interface AppErrorOptions {
  readonly cause?: unknown;
  /** Facts for the caller, such as the fields at fault. Never a secret. */
  readonly details?: unknown;
}

/** What the caller did or asked wrongly, or what cannot be had now. The message says what to do. */
export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: ErrorCode;
  readonly details: unknown;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.details = options.details;
  }
}

export function httpStatusOf(code: ErrorCode): number {
  return STATUS[code].http;
}

export function grpcStatusOf(code: ErrorCode): number {
  return STATUS[code].grpc;
}

/** Anything thrown, as the AppError a caller may see. An unknown error becomes `internal` and keeps its cause for the log. */
export function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  return new AppError(
    "internal",
    "Something went wrong on our side. Try again; the log has the details.",
    { cause: error },
  );
}
