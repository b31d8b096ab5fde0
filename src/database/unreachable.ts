import { AppError } from "#platform";
import type { ConnectionOptions } from "./pool.ts";
import { sqlStateOf } from "./with-tenant.ts";

/** The server answered and said no: trying again changes nothing. */
export function isRefusal(error: unknown): boolean {
  const state = sqlStateOf(error);
  // 28: the user or password. 3D: no such database.
  return state.startsWith("28") || state.startsWith("3D");
}

/** Why a connection failed, in words without the password. */
export function reasonOf(error: unknown): string {
  const state = sqlStateOf(error);
  if (state !== "") return state;
  return error instanceof Error ? error.name : "unknown";
}

/** The error a person sees: what was tried and what to check, never the password. */
export function unreachable(connection: ConnectionOptions, cause: unknown): AppError {
  const { host, port, user, database } = connection;
  const place = `${host}:${port}`;
  const state = sqlStateOf(cause);
  if (state.startsWith("28")) {
    return new AppError(
      "unavailable",
      `The database at ${place} refused user "${user}": check database.user and database.password.`,
      { cause },
    );
  }
  if (state.startsWith("3D")) {
    return new AppError(
      "unavailable",
      `The server at ${place} has no database "${database}": create it, or correct database.db_name.`,
      { cause },
    );
  }
  return new AppError(
    "unavailable",
    `The database at ${place} does not answer (${reasonOf(cause)}): check that it runs and that database.host and database.port are right.`,
    { cause },
  );
}
