import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** What the container that we run in may use. Undefined: no limit. */
export interface ContainerLimits {
  readonly cpus: number | undefined;
  readonly memoryMaxBytes: number | undefined;
  /** Used memory that cannot be dropped: page cache that is not in use is left out. */
  readonly memoryUsedBytes: number | undefined;
}

// Version 1 says "no limit" with the largest number of pages; no machine has that much.
const UNLIMITED_BYTES = 2 ** 60;

/** Reads cgroup version 2, then version 1. The tightest limit up to the root of the hierarchy counts. */
export async function readContainerLimits(
  procDirectory = "/proc",
  cgroupDirectory = "/sys/fs/cgroup",
): Promise<ContainerLimits> {
  const own = await readText(join(procDirectory, "self/cgroup"));
  const v2 = pathsToRoot(groupPath(own, ""), cgroupDirectory);
  const memoryV1 = pathsToRoot(groupPath(own, "memory"), join(cgroupDirectory, "memory"));
  const cpuV1 = pathsToRoot(groupPath(own, "cpu"), join(cgroupDirectory, "cpu"));
  const memory = (await tightestMemory(v2, V2)) ?? (await tightestMemory(memoryV1, V1));
  const cpus = (await tightestCpus(v2, readCpuMaxV2)) ?? (await tightestCpus(cpuV1, readCpuMaxV1));
  return { cpus, memoryMaxBytes: memory?.maxBytes, memoryUsedBytes: memory?.usedBytes };
}

interface MemoryFiles {
  readonly max: string;
  readonly used: string;
  readonly droppable: string;
}
const V2: MemoryFiles = { max: "memory.max", used: "memory.current", droppable: "inactive_file" };
const V1: MemoryFiles = {
  max: "memory.limit_in_bytes",
  used: "memory.usage_in_bytes",
  droppable: "total_inactive_file",
};

async function tightestMemory(
  directories: readonly string[],
  files: MemoryFiles,
): Promise<{ maxBytes: number; usedBytes: number } | undefined> {
  let tightest: { maxBytes: number; usedBytes: number } | undefined;
  for (const directory of directories) {
    const maxBytes = Number.parseInt(await readText(join(directory, files.max)), 10);
    if (!(maxBytes < UNLIMITED_BYTES) || maxBytes >= (tightest?.maxBytes ?? Infinity)) continue;
    const used = Number.parseInt(await readText(join(directory, files.used)), 10);
    const stat = await readText(join(directory, "memory.stat"));
    const droppable = new RegExp(`^${files.droppable} (\\d+)$`, "m").exec(stat)?.[1] ?? "0";
    tightest = { maxBytes, usedBytes: Math.max(0, used - Number(droppable)) };
  }
  return tightest;
}

async function tightestCpus(
  directories: readonly string[],
  read: (directory: string) => Promise<number>,
): Promise<number | undefined> {
  const limits = await Promise.all(directories.map((directory) => read(directory)));
  const tightest = Math.min(...limits.filter((limit) => limit > 0));
  return Number.isFinite(tightest) ? tightest : undefined;
}

async function readCpuMaxV2(directory: string): Promise<number> {
  const [quota, period] = (await readText(join(directory, "cpu.max"))).split(" ");
  return Number(quota) / Number(period);
}

async function readCpuMaxV1(directory: string): Promise<number> {
  const quota = Number(await readText(join(directory, "cpu.cfs_quota_us")));
  return quota / Number(await readText(join(directory, "cpu.cfs_period_us")));
}

/** The path of our group in the hierarchy of `controller`; "" is version 2. */
function groupPath(text: string, controller: string): string {
  for (const line of text.split("\n")) {
    const [, controllers = "", path = "/"] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (line !== "" && controllers.split(",").includes(controller)) return path;
  }
  return "/";
}

/** Our group's directory and its parents. Inside a container only some of them exist. */
function pathsToRoot(path: string, root: string): string[] {
  const parts = path.split("/").filter((part) => part !== "" && part !== "..");
  return Array.from({ length: parts.length + 1 }, (_, drop) =>
    join(root, ...parts.slice(0, parts.length - drop)),
  );
}

async function readText(path: string): Promise<string> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch {
    // A file that is not there is a limit that is not set.
    return "";
  }
}
