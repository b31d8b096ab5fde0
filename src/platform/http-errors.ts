import type { FastifyReply, FastifyRequest } from "fastify";
import { hasZodFastifySchemaValidationErrors } from "fastify-type-provider-zod";
import type { Duplex } from "node:stream";
import { STATUS_CODES } from "node:http";
import { AppError, asAppError, type ErrorCode, httpStatusOf } from "./errors.ts";
import type { Ids } from "./ids.ts";

/** The one shape of every answer that is not a good one. */
interface ErrorBody {
  readonly error: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly request_id: string;
    readonly details?: unknown;
  };
}

export function answerError(error: AppError, request: FastifyRequest, reply: FastifyReply): void {
  void reply
    .code(httpStatusOf(error.code))
    .type("application/json; charset=utf-8")
    // Already text: the route's answer schema does not describe errors.
    .serializer((payload: string) => payload)
    .send(JSON.stringify(errorBody(error, request.id)));
}

function errorBody({ code, message, details }: AppError, requestId: string): ErrorBody {
  return {
    error: { code, message, request_id: requestId, ...(details === undefined ? {} : { details }) },
  };
}

/** Fastify's own refusals, by its error codes: https://fastify.dev/docs/latest/Reference/Errors/ (2026-11). */
const REFUSALS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    "unsupported_media_type",
    "Send the body as `content-type: application/json`.",
  ],
  FST_ERR_CTP_BODY_TOO_LARGE: ["payload_too_large", "The body is too large."],
  FST_ERR_CTP_EMPTY_JSON_BODY: ["invalid_request", "The body is empty; send a JSON object."],
  FST_ERR_CTP_INVALID_JSON_BODY: ["invalid_request", "The body is not valid JSON."],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
    "invalid_request",
    "The body is not as long as its content-length says.",
  ],
  FST_ERR_BAD_URL: ["invalid_request", "The path is not a valid URL path."],
  FST_ERR_MAX_PARAM_LENGTH: ["invalid_request", "A part of the path is too long."],
  FST_ERR_ASYNC_CONSTRAINT: ["not_found", "There is nothing at this path."],
};

/** Anything thrown on the way through a request, as what the caller may see. */
export function asHttpError(error: unknown, request?: FastifyRequest): AppError {
  const shown = asRefusal(error);
  // A body that never came to its end was the caller's doing, and nobody waits for this answer. One that
  // was not read yet, because who calls could not be found out, is on a connection that is still there.
  const isCutOff = request?.raw.complete === false && request.raw.destroyed;
  return shown.code === "internal" && isCutOff
    ? new AppError("cancelled", "The caller left.", { cause: error })
    : shown;
}

function asRefusal(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (hasZodFastifySchemaValidationErrors(error)) return asValidationError(error);
  if (!(error instanceof Error) || !("code" in error)) {
    return error instanceof SyntaxError && "statusCode" in error
      ? new AppError("invalid_request", "The body is not valid JSON.", { cause: error })
      : asAppError(error);
  }
  const refusal = REFUSALS[String(error.code)];
  return refusal ? new AppError(...refusal, { cause: error }) : asAppError(error);
}

/** Problems beyond these would not help anybody, and an attacker can cause millions. */
const PROBLEMS_MAX = 20;

interface Issue {
  readonly instancePath: string;
  readonly message?: string | undefined;
}

function asValidationError(error: {
  readonly validation: readonly Issue[];
  readonly validationContext?: string | undefined;
}): AppError {
  const where = error.validationContext === "querystring" ? "query" : error.validationContext;
  const problems = error.validation.slice(0, PROBLEMS_MAX).map(({ instancePath, message }) => ({
    in: where ?? "body",
    field: instancePath.split("/").filter(Boolean).join(".").slice(0, 200),
    problem: (message ?? "is not valid").slice(0, 200),
  }));
  const first = problems[0];
  const said = first ? `${first.field || `the ${first.in}`}: ${first.problem}` : "is not valid";
  return new AppError("invalid_request", `The ${where ?? "body"} is not valid: ${said}.`, {
    cause: error,
    details: problems,
  });
}

const SOCKET_REFUSALS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  HPE_HEADER_OVERFLOW: ["headers_too_large", "The headers are larger than 16 KiB."],
  ERR_HTTP_REQUEST_TIMEOUT: ["request_timeout", "The request took too long to arrive."],
};

/** What Node's parser refuses never becomes a request: we answer on the bare socket. */
export function answerSocketError(
  error: Error & { readonly code?: string },
  socket: Duplex,
  ids: Ids,
): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const [code, message] = SOCKET_REFUSALS[error.code ?? ""] ?? [
    "invalid_request",
    "This is not a valid HTTP request.",
  ];
  const requestId = ids();
  const body = JSON.stringify(errorBody(new AppError(code, message), requestId));
  const status = httpStatusOf(code);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Error"}\r\n` +
      `content-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `x-request-id: ${requestId}\r\nconnection: close\r\n\r\n${body}`,
  );
}
