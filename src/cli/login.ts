import { createLoginLink } from "#identity";
import { AppError, createIds, systemClock } from "#platform";
import { commandLog } from "./command-log.ts";
import type { Values } from "./commands.ts";
import { readConfig } from "./read-config.ts";
import type { CliContext } from "./terminal.ts";
import { withDatabase } from "./with-database.ts";

/** Prints a fresh login link for the service of local mode; it works once and for a quarter of an hour. */
export async function login(context: CliContext, values: Values): Promise<number> {
  const { terminal, signal } = context;
  const config = readConfig(context, values);
  if (config.mode !== "local" || config.identity.clerk) {
    throw new AppError(
      "invalid_request",
      "Login links are for local mode without Clerk; here people sign in with Clerk.",
    );
  }
  const log = commandLog(config, terminal);
  const link = await withDatabase(config, { log, signal }, ({ db }) =>
    createLoginLink({ db, ids: createIds(), clock: systemClock }, config.publicUrl),
  );
  terminal.out(values["json"] === true ? `${JSON.stringify({ link })}\n` : `${link}\n`);
  return 0;
}
