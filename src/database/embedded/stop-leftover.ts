import { rm } from "node:fs/promises";
import { join } from "node:path";
import { AppError, type Log } from "#platform";
import { findPostmaster, isServing, stopPostmaster } from "./postmaster.ts";

/**
 * A service that was killed leaves its server running. It is stopped, so that ours is a child that
 * can be watched. Call it only while holding the directory.
 */
export async function stopLeftover(dataDirectory: string, log: Log): Promise<void> {
  const leftover = await findPostmaster(dataDirectory);
  if (leftover === undefined) return;
  const { pid } = leftover;
  if (await isServing(leftover, dataDirectory)) {
    log.warn({ pid }, "stopping the database that a killed service left running");
    if (!(await stopPostmaster(pid))) {
      throw new AppError(
        "unavailable",
        `The database that an earlier service left running (pid ${pid}) does not stop: end that process, then start again.`,
      );
    }
  }
  // PostgreSQL refuses to start when another process of its account got that pid since.
  await rm(join(dataDirectory, "postmaster.pid"), { force: true });
}
