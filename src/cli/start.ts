import { createApp } from "#app";
import { createLog } from "#platform";
import { announce } from "./banner.ts";
import { scrubberFor } from "./command-log.ts";
import type { Values } from "./commands.ts";
import { readConfig } from "./read-config.ts";
import { runService } from "./run-service.ts";
import type { CliContext } from "./terminal.ts";

/** Runs the service until a signal. */
export async function start(context: CliContext, values: Values): Promise<number> {
  const config = readConfig(context, values);
  const log = createLog({
    level: config.logLevel,
    format: config.logFormat,
    scrubber: scrubberFor(config),
  });
  const app = createApp(config, { log });
  return runService(app, {
    log,
    signal: context.signal,
    onReady: () => announce({ app, config, log, terminal: context.terminal }),
  });
}
