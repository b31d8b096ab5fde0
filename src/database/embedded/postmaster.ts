import { execFile } from "node:child_process";
import { readFile, readlink, realpath } from "node:fs/promises";
import { platform } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** What a running server writes into its data directory. */
export interface Postmaster {
  readonly pid: number;
  readonly startedAt: Date;
  readonly isReady: boolean;
}

/** Reads postmaster.pid, which may be left over from a server that is gone. */
export async function findPostmaster(dataDirectory: string): Promise<Postmaster | undefined> {
  const text = await readFile(join(dataDirectory, "postmaster.pid"), "utf8").catch(() => "");
  // Lines: pid, data directory, start in seconds, port, socket directory, address, memory, state.
  const lines = text.split("\n");
  const pid = Number(lines[0]);
  if (!Number.isSafeInteger(pid) || pid <= 1) return undefined;
  return {
    pid,
    startedAt: new Date(Number(lines[2]) * 1000),
    isReady: lines[7]?.trim() === "ready",
  };
}

/** Whether that process is alive and is the server of this directory, not another with its old pid. */
export async function isServing(postmaster: Postmaster, dataDirectory: string): Promise<boolean> {
  if (!isAlive(postmaster.pid)) return false;
  if (platform() === "linux") {
    const at = await readlink(`/proc/${postmaster.pid}/cwd`).catch(() => undefined);
    return at === (await realpath(dataDirectory));
  }
  const { stdout } = await run("ps", ["-o", "lstart=,comm=", "-p", String(postmaster.pid)], {
    env: { LC_ALL: "C", PATH: "/usr/bin:/bin" },
  }).catch(() => ({ stdout: "" }));
  // "Mon Nov 23 08:22:45 2026 /path/to/postgres"
  const startedAt = Date.parse(stdout.slice(0, 24));
  return (
    stdout.includes("postgres") && Math.abs(startedAt - postmaster.startedAt.getTime()) < 5_000
  );
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and belongs to another user.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/**
 * Stops a server: fast at first (running statements are rolled back, a checkpoint is written), and
 * at once where that takes too long (the next start then replays the log). Returns whether it ended.
 */
export async function stopPostmaster(pid: number): Promise<boolean> {
  return (await signalAndWait(pid, "SIGINT", 10_000)) || signalAndWait(pid, "SIGQUIT", 5_000);
}

async function signalAndWait(
  pid: number,
  signal: "SIGINT" | "SIGQUIT",
  waitMs: number,
): Promise<boolean> {
  try {
    process.kill(pid, signal);
  } catch {
    return !isAlive(pid);
  }
  const deadlineAt = performance.now() + waitMs;
  // It need not be a child of this process, so there is nothing to wait for but its absence.
  while (isAlive(pid)) {
    if (performance.now() > deadlineAt) return false;
    await sleep(10);
  }
  return true;
}
