import { ConfigError } from "#config";
import { AppError, createScrubber, KeyringError } from "#platform";
import { type CliContext, withoutControls } from "./terminal.ts";

/** sysexits.h: something was found in an unconfigured or misconfigured state. */
const EXIT_CONFIG = 78;

/** Says what went wrong in lines for people, and returns the exit code. */
export function reportError({ terminal, signal }: CliContext, error: unknown): number {
  if (error instanceof ConfigError) {
    for (const { path, message } of error.problems)
      terminal.err(`${path}: ${withoutControls(message)}\n`);
    return EXIT_CONFIG;
  }
  if (error instanceof KeyringError) {
    terminal.err(`encryption: ${error.message}\n`);
    return EXIT_CONFIG;
  }
  if (signal.aborted) {
    terminal.err("Cancelled.\n");
    return 1;
  }
  if (error instanceof AppError && error.code !== "internal") {
    terminal.err(`${withoutControls(error.message)}\n`);
    return 1;
  }
  const scrub = createScrubber();
  terminal.err(`Unexpected: ${scrub.scrub(traceOf(error))}\n`);
  return 1;
}

function traceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `\nCaused by: ${traceOf(error.cause)}`;
  return (error.stack ?? error.message) + cause;
}
