import { createApp } from "#app";
import type { Config } from "#config";
import { AppError, createLog, KeyringError } from "#platform";
import { announce } from "./banner.ts";
import { listPortProblems } from "./checks/check-ports.ts";
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
  try {
    return await runService(app, {
      log,
      signal: context.signal,
      onReady: () => announce({ app, config, log, terminal: context.terminal }),
    });
  } catch (error) {
    throw await plainReason(error, config);
  }
}

/** A taken port is the usual reason of an unexpected failure, and no server's own error names the key. */
async function plainReason(error: unknown, config: Config): Promise<unknown> {
  if (error instanceof AppError || error instanceof KeyringError) return error;
  const problems = await listPortProblems(config);
  if (problems.length === 0) return error;
  return new AppError("unavailable", problems.join("\n"), { cause: error });
}
