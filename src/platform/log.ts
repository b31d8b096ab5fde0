import { pino } from "pino";
import { escapeControls } from "./escape-controls.ts";
import { describeError } from "./log-errors.ts";
import { prettyLine } from "./log-pretty.ts";
import type { Scrubber } from "./scrubber.ts";

export type Log = pino.Logger;
export type LogLevel = "fatal" | "error" | "warn" | "info" | "debug" | "trace";
export type LogFormat = "json" | "pretty";

/** Where finished lines go; each ends with a line feed. */
export interface LogDestination {
  write(line: string): unknown;
}

export interface LogOptions {
  readonly level: LogLevel | "silent";
  /** json: one object a line. pretty: for a person at a terminal. */
  readonly format: LogFormat;
  readonly scrubber: Scrubber;
  /** Standard output by default. */
  readonly destination?: LogDestination;
  /** Colours of the pretty format; on by default. */
  readonly isColored?: boolean;
}

/**
 * Makes the one log of the process; rooms take `log.child({ room })`. Every finished line passes the
 * scrubber, and nothing in it can begin a new line or move a terminal's cursor.
 */
export function createLog(options: LogOptions): Log {
  const { level, format, scrubber, destination = process.stdout, isColored = true } = options;
  function write(line: string): void {
    const safe = escapeControls(scrubber.scrub(line.trimEnd()));
    destination.write(`${format === "pretty" ? prettyLine(safe, { isColored }) : safe}\n`);
  }
  return pino(
    {
      level,
      base: null,
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: describeError, error: describeError },
      // A log call must not throw, however deep or wide its facts are.
      depthLimit: 8,
      edgeLimit: 200,
    },
    { write },
  );
}
