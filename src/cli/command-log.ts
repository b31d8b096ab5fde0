import type { Config } from "#config";
import { createLog, createScrubber, type Log, type LogOptions, type Scrubber } from "#platform";
import type { Terminal } from "./terminal.ts";

/** A scrubber that knows every secret of the configuration. */
export function scrubberFor(config: Config): Scrubber {
  const scrubber = createScrubber();
  for (const secret of config.secrets()) scrubber.learn(secret.reveal());
  return scrubber;
}

/** The log of a command: its answer goes to stdout, so the log goes to stderr. */
export function commandLog(
  config: Config,
  terminal: Terminal,
  level: LogOptions["level"] = "warn",
): Log {
  return createLog({
    level,
    format: config.logFormat,
    scrubber: scrubberFor(config),
    destination: { write: (line) => terminal.err(line) },
  });
}
