import { type Logger, LogLevel } from "@slack/web-api";

function ignore(): void {
  // Faults are what these tests are about; the official clients would log each.
}

/** Keeps the official clients quiet. */
export const quietLogger: Logger = {
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  setLevel: ignore,
  getLevel: () => LogLevel.ERROR,
  setName: ignore,
};
