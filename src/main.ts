import { isatty } from "node:tty";
import { enableCompileCache } from "node:module";
import { join } from "node:path";

// Halves the CPU of a start. Beside the packages, because others may write to the system's own place for it.
enableCompileCache(join(import.meta.dirname, "../node_modules/.cache/infragpt"));
const { runCli } = await import("./cli/run-cli.ts");

/** Long enough for the last answer of a closing socket, and within the 30 s of a graceful stop. */
const DRAIN_MS = 1000;

const stopping = new AbortController();
for (const name of ["SIGTERM", "SIGINT"] as const) {
  process.on(name, () => {
    if (stopping.signal.aborted) process.exit(1);
    stopping.abort(new DOMException(`Stopped by ${name}.`, "AbortError"));
  });
}
for (const stream of [process.stdout, process.stderr]) {
  // The reader closed its end, as `| head` does. A service outlives the reader of its log.
  stream.on("error", () => undefined);
}

process.exitCode = await runCli(process.argv.slice(2), {
  terminal: {
    isTty: isatty(process.stdout.fd),
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
  },
  env: process.env,
  cwd: process.cwd(),
  signal: stopping.signal,
});

// The loop drains by itself; should something hold it, the exit code still arrives in time.
setTimeout(() => process.exit(), DRAIN_MS).unref();
