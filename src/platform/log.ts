import { pino } from "pino";
import type { Scrubber } from "./scrubber.ts";

export type Log = pino.Logger;
export type LogLevel = "fatal" | "error" | "warn" | "info" | "debug" | "trace";
export type LogFormat = "json" | "pretty";

/** Where finished lines go; each ends with a line feed. */
export interface LogDestination {
  write(line: string): void;
}

export interface LogOptions {
  readonly level: LogLevel | "silent";
  readonly format: LogFormat;
  readonly scrubber: Scrubber;
  /** Standard output by default. */
  readonly destination?: LogDestination;
}

/** Makes the one log of the process; rooms take `log.child({ room })`. No secret leaves through it. */
export function createLog({ level, scrubber, destination }: LogOptions): Log {
  const out = destination ?? process.stdout;
  return pino(
    { level, base: null },
    { write: (line: string) => void out.write(scrubber.scrub(line)) },
  );
}
