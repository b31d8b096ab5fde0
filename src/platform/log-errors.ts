const CAUSES_MAX = 8;
const STACK_CHARS_MAX = 8000;
const MESSAGE_CHARS_MAX = 4000;

interface DescribedError {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: DescribedError;
  readonly errors?: readonly DescribedError[];
}

/**
 * An error as the log shows it: with stack and causes, without the other properties that libraries
 * hang on their errors, such as requests, headers and responses.
 */
export function describeError(error: unknown): DescribedError {
  return described(error, 0);
}

function described(error: unknown, depth: number): DescribedError {
  if (error instanceof Error) return describe(error, depth);
  const text = typeof error === "string" ? error : `a thrown ${typeof error}`;
  return { type: "thrown", message: text.slice(0, MESSAGE_CHARS_MAX) };
}

function describe(error: Error, depth: number): DescribedError {
  const { name, message, stack, cause } = error;
  const code = codeOf(error);
  const isDeep = depth >= CAUSES_MAX;
  return {
    type: name,
    message: message.slice(0, MESSAGE_CHARS_MAX),
    ...(code === undefined ? {} : { code }),
    ...(stack === undefined ? {} : { stack: stack.slice(0, STACK_CHARS_MAX) }),
    ...(cause === undefined || isDeep ? {} : { cause: described(cause, depth + 1) }),
    ...(error instanceof AggregateError && !isDeep
      ? { errors: error.errors.slice(0, CAUSES_MAX).map((one) => described(one, depth + 1)) }
      : {}),
  };
}

/** The word or number that says which error it is: AppError, ConnectorError, Node, PostgreSQL and gRPC have one. */
function codeOf(error: Error): string | undefined {
  if ("code" in error && (typeof error.code === "string" || typeof error.code === "number")) {
    return String(error.code).slice(0, 100);
  }
  if ("kind" in error && typeof error.kind === "string") return error.kind.slice(0, 100);
  return undefined;
}
