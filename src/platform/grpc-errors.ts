import { ClientError, ServerError, type Status } from "nice-grpc";
import { AppError, asAppError, type ErrorCode, grpcStatusOf } from "./errors.ts";

/** What a caller of ours gets to see: the code of the table and a message of our own words. */
export function asServerError(error: unknown, traceId: string): ServerError {
  const shown = asAppError(error);
  const message =
    shown.code === "internal" ? `${shown.message} Trace id: ${traceId}.` : shown.message;
  // Our table names the numbers of this very enum.
  // oxlint-disable-next-line typescript/no-unsafe-enum-assignment
  const status: Status = grpcStatusOf(shown.code);
  return new ServerError(status, message);
}

const CODE_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  1: "cancelled",
  3: "invalid_request",
  4: "timeout",
  5: "not_found",
  6: "conflict",
  7: "forbidden",
  8: "rate_limited",
  9: "conflict",
  10: "conflict",
  11: "invalid_request",
  12: "method_not_allowed",
  14: "unavailable",
  16: "unauthenticated",
};

/** A failed call to another server. The status number of gRPC is in `details.grpcStatus`. */
export function asCallError(error: unknown, { endpoint, signal, deadline }: CallFacts): AppError {
  if (error instanceof ClientError) {
    const code = CODE_OF_STATUS[error.code] ?? "internal";
    return new AppError(
      code,
      `${endpoint} answered: ${error.details.slice(0, DETAILS_CHARS_MAX)}`,
      {
        cause: error,
        details: { grpcStatus: error.code },
      },
    );
  }
  if (deadline !== undefined && deadline.getTime() <= Date.now()) {
    return new AppError("timeout", `${endpoint} did not answer in time.`, {
      cause: error,
      details: { grpcStatus: 4 },
    });
  }
  if (signal.aborted) {
    return new AppError("cancelled", `The call to ${endpoint} was cancelled.`, {
      cause: error,
      details: { grpcStatus: 1 },
    });
  }
  return asAppError(error);
}

/** The other side writes this text: enough to understand it, not enough to flood a log. */
const DETAILS_CHARS_MAX = 1000;

interface CallFacts {
  readonly endpoint: string;
  readonly signal: AbortSignal;
  readonly deadline: Date | undefined;
}
