import type { Config } from "#config";
import { openDatabase, type OpenDatabase } from "#database";
import type { Abortable, Log } from "#platform";

// A person waits: long enough for the embedded server, short enough for one that is away.
const WAIT_MS = 5000;

/** Opens the database for one command, beside a running service if there is one, and closes it again. */
export async function withDatabase<Result>(
  { database }: Config,
  { log, signal }: Abortable & { readonly log: Log },
  use: (opened: OpenDatabase) => Promise<Result>,
): Promise<Result> {
  const opened = await openDatabase({
    connection: database.kind === "url" ? database : { ...database, attach: true },
    log,
    signal,
    waitMs: WAIT_MS,
  });
  try {
    return await use(opened);
  } finally {
    await opened.close();
  }
}
