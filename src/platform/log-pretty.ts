import { styleText } from "node:util";
import { z } from "zod";
import { escapeControls } from "./escape-controls.ts";

/** The message of request lines; http-log.ts writes them. */
export const REQUEST_MESSAGE = "request";

const Line = z.looseObject({ level: z.string(), time: z.string(), msg: z.string().default("") });

const RequestFacts = z.object({
  method: z.string(),
  path: z.string(),
  status: z.number(),
  durationMs: z.number(),
  sizeBytes: z.number(),
});
type RequestFacts = z.infer<typeof RequestFacts>;

interface LoggedError {
  readonly message: string;
  readonly stack?: string | undefined;
  readonly cause?: LoggedError | undefined;
}

const LoggedError: z.ZodType<LoggedError> = z.object({
  message: z.string(),
  stack: z.string().optional(),
  get cause() {
    return LoggedError.optional();
  },
});

type Style = Parameters<typeof styleText>[0];
type Paint = (style: Style, text: string) => string;

function paintNothing(_style: Style, text: string): string {
  return text;
}

/** Colours whatever the stream is: the caller has decided. */
function paintAlways(style: Style, text: string): string {
  return styleText(style, text, { validateStream: false });
}

/** One finished JSON line as a person reads it: time, level, sentence, facts; errors with their stacks below. */
export function prettyLine(json: string, { isColored }: { readonly isColored: boolean }): string {
  const parsed = Line.safeParse(parseOrUndefined(json));
  if (!parsed.success) return json;
  const paint = isColored ? paintAlways : paintNothing;
  const { level, time, msg, err, ...facts } = parsed.data;
  const style = LEVEL_STYLES[level] ?? "white";
  const head = `${paint("dim", time.slice(11, 23))} ${paint(style, level.toUpperCase().padEnd(5))}`;
  const request = msg === REQUEST_MESSAGE ? RequestFacts.safeParse(facts) : undefined;
  if (request?.success) return `${head} ${requestLine(request.data, paint)}`;
  const shown = Object.entries(facts).map(([name, value]) => paint("dim", fact(name, value)));
  const line = [head, escapeControls(msg), ...shown].join(" ");
  const error = LoggedError.safeParse(err);
  return error.success ? `${line}\n${paint("dim", errorLines(error.data))}` : line;
}

const LEVEL_STYLES: Readonly<Record<string, Style>> = {
  fatal: ["bold", "red"],
  error: "red",
  warn: "yellow",
  info: "green",
  debug: "blue",
  trace: "gray",
};

const METHOD_STYLES: Readonly<Record<string, Style>> = {
  GET: "cyan",
  POST: "magenta",
  DELETE: "red",
};

function requestLine(facts: RequestFacts, paint: Paint): string {
  const { method, path, status, durationMs, sizeBytes } = facts;
  return [
    paint(METHOD_STYLES[method] ?? "blue", escapeControls(method).padEnd(6)),
    paint(statusStyle(status), String(status)),
    escapeControls(path),
    paint("dim", `${durationMs} ms ${sizeBytes} B`),
  ].join(" ");
}

function statusStyle(status: number): Style {
  if (status >= 500) return "red";
  if (status >= 400) return "yellow";
  return "green";
}

function fact(name: string, value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  return escapeControls(`${name}=${text}`);
}

/** The lines of a stack are ours to break; what stands within a line is escaped. */
function errorLines(error: LoggedError): string {
  const own = (error.stack ?? error.message)
    .split("\n")
    .map((line) => `    ${escapeControls(line)}`);
  return [...own, ...(error.cause ? [`  caused by\n${errorLines(error.cause)}`] : [])].join("\n");
}

function parseOrUndefined(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
