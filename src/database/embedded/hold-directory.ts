import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { AppError } from "#platform";

const Holder = z.object({ pid: z.int(), started_at: z.iso.datetime() });
export type Holder = z.infer<typeof Holder>;

const SQLITE_BUSY = 5;

export interface HeldDirectory {
  release(): void;
}

/**
 * Takes the directory for this process, or returns who has it. The lock is the kernel's, taken
 * through SQLite because Node has no flock: it ends with the process however that ends, so a stale
 * lock, a recycled pid or two processes that both find one cannot happen.
 */
export function holdDirectory(directory: string): HeldDirectory | Holder {
  const infoPath = join(directory, "service.json");
  const lock = new DatabaseSync(join(directory, "service.lock"), { timeout: 0 });
  try {
    lock.exec("begin exclusive");
  } catch (error) {
    lock.close();
    if (!isBusy(error)) throw error;
    return readHolder(infoPath);
  }
  const startedAt = new Date(Date.now() - process.uptime() * 1000).toISOString();
  writeFileSync(infoPath, JSON.stringify({ pid: process.pid, started_at: startedAt }));
  return {
    release() {
      // The lock's file stays: removing it would let two processes lock two files of one name.
      rmSync(infoPath, { force: true });
      lock.close();
    },
  };
}

export function directoryIsHeld(directory: string, holder: Holder): AppError {
  const since = holder.pid === 0 ? "" : ` (pid ${holder.pid}, started ${holder.started_at})`;
  return new AppError(
    "conflict",
    `Another infragpt${since} uses ${directory}: stop it first, or set INFRAGPT_HOME to another directory.`,
    { details: { pid: holder.pid, startedAt: holder.started_at } },
  );
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY;
}

function readHolder(path: string): Holder {
  // The holder writes it just after it took the lock; a reader in between does not know who.
  const unknown = { pid: 0, started_at: new Date(0).toISOString() };
  try {
    return Holder.safeParse(JSON.parse(readFileSync(path, "utf8"))).data ?? unknown;
  } catch {
    return unknown;
  }
}
