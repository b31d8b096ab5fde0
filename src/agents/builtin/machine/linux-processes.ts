import { readFile, readdir, readlink } from "node:fs/promises";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Process, Processes } from "./model.ts";

const PROCESSES_MAX = 8000;
/** Names are looked up for those an answer may show. */
const NAMED_MAX = 50;
/** Read at once: enough to keep the thread pool busy without holding thousands of files open. */
const BATCH = 64;

interface Stat {
  readonly pid: number;
  readonly name: string;
  readonly state: string;
  readonly cpuTicks: number;
  /** Tells a process from a later one with the same pid. */
  readonly startTicks: string;
  readonly pages: number;
}

/** What each process did during the sample. One that started within it counts from its start. */
export async function readProcesses(sampleMs: number, procDirectory = "/proc"): Promise<Processes> {
  const units = await readUnits(procDirectory);
  const startedAt = performance.now();
  const before = await readStats(procDirectory);
  await sleep(sampleMs);
  const after = await readStats(procDirectory);
  const seconds = (performance.now() - startedAt) / 1000;
  const ticksBefore = new Map(before.stats.map((stat) => [identity(stat), stat.cpuTicks]));
  const processes = after.stats
    .map((stat) => toProcess(stat, ticksBefore.get(identity(stat)) ?? 0, seconds, units))
    .toSorted((a, b) => b.cpuPercent - a.cpuPercent || b.memoryBytes - a.memoryBytes);
  return {
    processes: await nameTop(procDirectory, processes),
    isTruncated: after.isTruncated,
    isContainer: await isContainer(procDirectory),
  };
}

/** The kernel gives the machine's own namespace of process ids this fixed number (PROC_PID_INIT_INO, 0xEFFFFFFC). */
const MACHINE_NAMESPACE = "pid:[4026531836]";

async function isContainer(procDirectory: string): Promise<boolean> {
  const namespace = await readlink(`${procDirectory}/self/ns/pid`).catch(() => MACHINE_NAMESPACE);
  return namespace !== MACHINE_NAMESPACE;
}

function identity({ pid, startTicks }: Stat): string {
  return `${pid}:${startTicks}`;
}

function toProcess(stat: Stat, ticksBefore: number, seconds: number, units: Units): Process {
  const cpuSeconds = (stat.cpuTicks - ticksBefore) / units.ticksPerSecond;
  return {
    pid: stat.pid,
    name: stat.name,
    cpuPercent: Math.max(0, (cpuSeconds / seconds) * 100),
    memoryBytes: stat.pages * units.pageBytes,
    isBlocked: stat.state === "D",
  };
}

async function readStats(procDirectory: string): Promise<{ stats: Stat[]; isTruncated: boolean }> {
  const pids = (await readdir(procDirectory)).filter((name) => /^\d+$/.test(name));
  const read = pids.slice(0, PROCESSES_MAX);
  const stats: Stat[] = [];
  for (let index = 0; index < read.length; index += BATCH) {
    const texts = await Promise.all(
      read
        .slice(index, index + BATCH)
        // A process may end between the listing and the reading.
        .map((pid) => readFile(`${procDirectory}/${pid}/stat`, "latin1").catch(() => "")),
    );
    for (const text of texts) {
      const stat = parseStat(text);
      if (stat !== undefined) stats.push(stat);
    }
  }
  return { stats, isTruncated: pids.length > read.length };
}

/** Fields as in proc_pid_stat(5). The name stands in parentheses and may hold spaces and parentheses itself. */
export function parseStat(text: string): Stat | undefined {
  const [, pid, name, rest] = /^(\d+) \((.*)\) ([^)]*)$/s.exec(text.trim()) ?? [];
  if (pid === undefined || name === undefined || rest === undefined) return undefined;
  const fields = rest.split(" ");

  /** By its number in the manual, where the name is the second. */
  function field(number: number): string {
    return fields[number - 3] ?? "0";
  }

  return {
    pid: Number(pid),
    name,
    state: field(3),
    cpuTicks: Number(field(14)) + Number(field(15)),
    startTicks: field(22),
    pages: Number(field(24)),
  };
}

async function nameTop(procDirectory: string, processes: readonly Process[]): Promise<Process[]> {
  const byMemory = processes.toSorted((a, b) => b.memoryBytes - a.memoryBytes).slice(0, NAMED_MAX);
  const named = new Set([...processes.slice(0, NAMED_MAX), ...byMemory]);
  return Promise.all(
    processes.map(async (process) =>
      named.has(process)
        ? { ...process, name: await readProcessName(procDirectory, process.pid, process.name) }
        : process,
    ),
  );
}

const INTERPRETER = /^(?:node|python[\d.]*|ruby|perl|java|bash|sh|deno|bun|php)$/;
const SCRIPT = /\.(?:[cm]?[jt]s|py|rb|pl|sh|jar|php)$/;

/**
 * The name people know: the program, and the script where the program is an interpreter. The rest
 * of a command line is never shown, because passwords stand in it.
 */
export async function readProcessName(
  procDirectory: string,
  pid: number,
  fallback = "",
): Promise<string> {
  const directory = `${procDirectory}/${pid}`;
  const commandLine = (await readText(`${directory}/cmdline`)).slice(0, 4096);
  const [program = "", script = ""] = commandLine.split("\0");
  const name = basename(program.split(" ")[0] ?? "").replace(/:$/, "");
  if (name === "") return fallback || (await readText(`${directory}/comm`)).trim() || "unknown";
  const isScript = INTERPRETER.test(name) && SCRIPT.test(script) && !script.startsWith("-");
  return (isScript ? `${name} ${basename(script)}` : name).slice(0, 60);
}

/** "" for a process that has just ended. */
function readText(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}

interface Units {
  readonly ticksPerSecond: number;
  readonly pageBytes: number;
}

// Keys of the auxiliary vector: getauxval(3).
const PAGE_BYTES_KEY = 6n;
const TICKS_PER_SECOND_KEY = 17n;

/** The kernel tells its units in the auxiliary vector: pages have 4, 16 or 64 KiB. */
async function readUnits(procDirectory: string): Promise<Units> {
  const vector = await readFile(`${procDirectory}/self/auxv`).catch(() => Buffer.alloc(0));
  const words = new Map<bigint, number>();
  for (let offset = 0; offset + 16 <= vector.length; offset += 16) {
    // Machines with 32-bit words or the other byte order keep the usual units below.
    words.set(vector.readBigUInt64LE(offset), Number(vector.readBigUInt64LE(offset + 8)));
  }
  return {
    ticksPerSecond: words.get(TICKS_PER_SECOND_KEY) ?? 100,
    pageBytes: words.get(PAGE_BYTES_KEY) ?? 4096,
  };
}
