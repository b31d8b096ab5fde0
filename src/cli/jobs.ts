import { SYSTEM_CHAIN_ID, createAudit } from "#audit";
import type { Config } from "#config";
import type { Database } from "#database";
import {
  AppError,
  createIds,
  createJobs,
  systemClock,
  type DeadJob,
  type Jobs,
  type Log,
} from "#platform";
import { commandLog } from "./command-log.ts";
import type { Values } from "./commands.ts";
import { openKeyring } from "./open-keyring.ts";
import { readConfig } from "./read-config.ts";
import { table, withoutControls, type CliContext } from "./terminal.ts";
import { withDatabase } from "./with-database.ts";

/** Lists the jobs that failed for good, or puts one back into its queue. */
export async function jobs(
  context: CliContext,
  values: Values,
  [action, id, ...rest]: readonly string[],
): Promise<number> {
  const isJson = values["json"] === true;
  if (action === "list" && id === undefined) {
    return withJobs(context, values, (open) => list(open, context, isJson));
  }
  if (action === "replay" && id !== undefined && rest.length === 0) {
    return withJobs(context, values, (open, tools) =>
      replay({ open, ...tools }, context, id, isJson),
    );
  }
  context.terminal.err("Use: infragpt jobs list, or infragpt jobs replay <id>\n");
  return 1;
}

async function list(open: Jobs, { terminal }: CliContext, isJson: boolean): Promise<number> {
  const dead = await open.listDead();
  if (isJson) terminal.out(`${JSON.stringify({ jobs: dead.map(asJson) })}\n`);
  else if (dead.length === 0) terminal.out("No job failed for good.\n");
  else terminal.out(table([["ID", "QUEUE", "FAILED", "ERROR"], ...dead.map(asRow)]));
  return 0;
}

interface Tools {
  readonly config: Config;
  readonly db: Database;
  readonly log: Log;
}

async function replay(
  { open, config, db, log }: Tools & { readonly open: Jobs },
  { terminal }: CliContext,
  id: string,
  isJson: boolean,
): Promise<number> {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id) || !(await open.replay(id))) {
    throw new AppError("not_found", `No dead job has the id ${id}: infragpt jobs list shows them.`);
  }
  const keyring = await openKeyring(config.encryption);
  const audit = createAudit({ db, ids: createIds(), clock: systemClock, log, keyring });
  await audit.record({
    organizationId: SYSTEM_CHAIN_ID,
    actor: { kind: "local", id: "cli" },
    action: "job.replayed",
    target: { kind: "job", id },
    outcome: "ok",
  });
  terminal.out(isJson ? `${JSON.stringify({ replayed: id })}\n` : `${id} runs again.\n`);
  return 0;
}

async function withJobs(
  context: CliContext,
  values: Values,
  use: (open: Jobs, tools: Tools) => Promise<number>,
): Promise<number> {
  const { terminal, signal } = context;
  const config = readConfig(context, values);
  const log = commandLog(config, terminal);
  return withDatabase(config, { log, signal }, async ({ connection, db }) => {
    // No queue is defined, so that nothing is run here.
    const open = createJobs({ connection, log });
    await open.start();
    try {
      return await use(open, { config, db, log });
    } finally {
      await open.stop({ graceMs: 0 });
    }
  });
}

function asRow({ id, queue, failedAt, error }: DeadJob): readonly string[] {
  const line = withoutControls(error).replaceAll("\n", " ");
  return [id, queue, failedAt.toISOString(), line.length > 100 ? `${line.slice(0, 99)}…` : line];
}

// Without the data: it may hold what people wrote.
function asJson({ id, queue, key, failedAt, error }: DeadJob): object {
  return { id, queue, key, failed_at: failedAt.toISOString(), error };
}
