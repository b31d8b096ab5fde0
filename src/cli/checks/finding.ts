import { AppError } from "#platform";

/** What the doctor found at one place. The detail says what to do where something is wrong. */
export interface Finding {
  readonly name: string;
  readonly state: "ok" | "warning" | "failed";
  readonly detail: string;
}

export function ok(name: string, detail: string): Finding {
  return { name, state: "ok", detail };
}

export function warning(name: string, detail: string): Finding {
  return { name, state: "warning", detail };
}

export function failed(name: string, cause: unknown): Finding {
  return { name, state: "failed", detail: typeof cause === "string" ? cause : reasonOf(cause) };
}

function reasonOf(cause: unknown): string {
  if (cause instanceof AppError && cause.code === "internal" && cause.cause !== undefined) {
    return reasonOf(cause.cause);
  }
  return cause instanceof Error ? cause.message : String(cause);
}
