import { migrate } from "#database";
import { commandLog } from "./command-log.ts";
import type { Values } from "./commands.ts";
import { readConfig } from "./read-config.ts";
import type { CliContext } from "./terminal.ts";
import { withDatabase } from "./with-database.ts";

/** Applies the migrations that are missing and names them. */
export async function migrateDatabase(context: CliContext, values: Values): Promise<number> {
  const { terminal, signal } = context;
  const config = readConfig(context, values);
  const log = commandLog(config, terminal);
  const applied = await withDatabase(config, { log, signal }, ({ db }) => migrate(db, { log }));
  if (values["json"] === true) terminal.out(`${JSON.stringify({ applied })}\n`);
  else if (applied.length === 0) terminal.out("The database is up to date.\n");
  else terminal.out(applied.map((name) => `Applied ${name}\n`).join(""));
  return 0;
}
