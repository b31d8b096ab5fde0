import type { Machine, Process, Reading } from "./model.ts";
import { code, formatBytes, formatPercent } from "../markdown.ts";

/** Something that makes a machine slow or is about to. */
export interface Finding {
  readonly kind: "cpu" | "recent_load" | "memory" | "disk" | "io" | "steal" | "single_core";
  /** One sentence without a full stop, with its figures. */
  readonly sentence: string;
}

// From what on people feel it, or should look before they do.
const CPU_BUSY_PERCENT = 85;
const LOAD_PER_CPU = 1.5;
const MEMORY_AVAILABLE_PERCENT = 10;
const SWAP_USED_PERCENT = 50;
const IO_WAIT_PERCENT = 20;
const BLOCKED_PROCESSES = 2;
const STEAL_PERCENT = 10;
const ONE_CORE_PERCENT = 90;
export const DISK_NEARLY_FULL_PERCENT = 90;

/** What stands out, the most likely reason for slowness first. Empty: nothing does. */
export function diagnose(machine: Machine): readonly Finding[] {
  const findings = [
    findMemory(machine),
    findCpu(machine),
    findIo(machine),
    findSteal(machine),
    ...findDisks(machine),
    findRecentLoad(machine),
    findSingleCore(machine),
  ].filter((finding) => finding !== undefined);
  const kinds = new Set(findings.map(({ kind }) => kind));
  return findings.filter(({ kind }) => {
    if (kind === "single_core") return !kinds.has("cpu");
    // What keeps the machine busy now explains its load.
    return kind !== "recent_load" || !(kinds.has("cpu") || kinds.has("io"));
  });
}

/** Share of the CPUs we may use that is taken, in percent. */
export function cpuUsedPercent({ load, processes }: Machine): number | undefined {
  const value = valueOf(load);
  if (value === undefined) return undefined;
  if (value.cpus >= value.machineCpus) return value.busyPercent;
  // A container is slowed down by its own use, not by the machine's.
  const own = valueOf(processes)?.processes.reduce((sum, { cpuPercent }) => sum + cpuPercent, 0);
  return own === undefined ? value.busyPercent : Math.min(100, own / value.cpus);
}

function findCpu(machine: Machine): Finding | undefined {
  const load = valueOf(machine.load);
  const used = cpuUsedPercent(machine);
  if (load === undefined || used === undefined) return undefined;
  const ioWait = load.ioWaitPercent ?? 0;
  // Load also counts what waits for disks, and on a shared machine what runs outside our container.
  const isQueueing =
    load.averages[0] / load.machineCpus >= LOAD_PER_CPU && used >= 60 && ioWait < IO_WAIT_PERCENT;
  if (used < CPU_BUSY_PERCENT && !isQueueing) return undefined;
  const figures = `CPU is the bottleneck: ${formatPercent(used)} busy, load ${load.averages[0].toFixed(1)} on ${coresOf(load.cpus)}`;
  const top = busiest(machine);
  if (top === undefined) return { kind: "cpu", sentence: figures };
  return { kind: "cpu", sentence: `${figures}; ${describeCpu(top)}` };
}

/** The sample is half a second; the load average remembers the minute before it. */
function findRecentLoad(machine: Machine): Finding | undefined {
  const load = valueOf(machine.load);
  if (load === undefined || load.averages[0] / load.machineCpus < LOAD_PER_CPU) return undefined;
  return {
    kind: "recent_load",
    sentence: `More work than the CPUs can take was waiting during the last minute: load ${load.averages[0].toFixed(1)} on ${coresOf(load.machineCpus)}, ${formatPercent(cpuUsedPercent(machine) ?? 0)} busy at this moment`,
  };
}

function findMemory({ memory, processes }: Machine): Finding | undefined {
  const value = valueOf(memory);
  if (value === undefined || value.totalBytes === 0) return undefined;
  const availablePercent = (value.availableBytes / value.totalBytes) * 100;
  const swapPercent =
    value.swapTotalBytes > 0 ? (value.swapUsedBytes / value.swapTotalBytes) * 100 : 0;
  const isSwapping = swapPercent >= SWAP_USED_PERCENT && availablePercent < 20;
  if (availablePercent >= MEMORY_AVAILABLE_PERCENT && !isSwapping) return undefined;
  const largest = valueOf(processes)?.processes.toSorted(
    (a, b) => b.memoryBytes - a.memoryBytes,
  )[0];
  const where = value.isContainerLimit ? " of the container's limit" : "";
  const swap = isSwapping ? `, swap ${formatPercent(swapPercent)} used` : "";
  const who =
    largest === undefined
      ? ""
      : `; ${code(largest.name)} (pid ${largest.pid}) holds ${formatBytes(largest.memoryBytes)}`;
  return {
    kind: "memory",
    sentence: `Memory is short: ${formatBytes(value.availableBytes)} of ${formatBytes(value.totalBytes)}${where} available${swap}${who}`,
  };
}

function findIo({ load, processes }: Machine): Finding | undefined {
  const ioWait = valueOf(load)?.ioWaitPercent ?? 0;
  const blocked = (valueOf(processes)?.processes ?? []).filter(({ isBlocked }) => isBlocked);
  if (ioWait < IO_WAIT_PERCENT && blocked.length < BLOCKED_PROCESSES) return undefined;
  const who = blocked
    .slice(0, 3)
    .map(({ name, pid }) => `${code(name)} (pid ${pid})`)
    .join(", ");
  const waiting = blocked.length === 0 ? "" : `; blocked on a device: ${who}`;
  return {
    kind: "io",
    sentence: `Disks are slow: the CPUs wait for them ${formatPercent(ioWait)} of the time${waiting}`,
  };
}

function findSteal({ load }: Machine): Finding | undefined {
  const steal = valueOf(load)?.stealPercent ?? 0;
  if (steal < STEAL_PERCENT) return undefined;
  return {
    kind: "steal",
    sentence: `The host is overbooked: the hypervisor takes ${formatPercent(steal)} of this machine's CPU time`,
  };
}

function findDisks({ disks }: Machine): Finding[] {
  const findings: Finding[] = [];
  for (const disk of valueOf(disks)?.disks ?? []) {
    if (disk.usedPercent >= DISK_NEARLY_FULL_PERCENT) {
      findings.push({
        kind: "disk",
        sentence: `${code(disk.mount)} is ${disk.usedPercent >= 99 ? "full" : "nearly full"}: ${disk.usedPercent} % used, ${formatBytes(disk.availableBytes)} left`,
      });
    }
    if ((disk.inodesUsedPercent ?? 0) >= DISK_NEARLY_FULL_PERCENT) {
      findings.push({
        kind: "disk",
        sentence: `${code(disk.mount)} runs out of inodes: ${disk.inodesUsedPercent} % used, so no new files soon`,
      });
    }
  }
  return findings;
}

function findSingleCore(machine: Machine): Finding | undefined {
  const top = busiest(machine);
  if (top === undefined || top.cpuPercent < ONE_CORE_PERCENT) return undefined;
  return {
    kind: "single_core",
    sentence: `${describeCpu(top)}: if it is single-threaded, it cannot go faster`,
  };
}

function describeCpu({ name, pid, cpuPercent }: Process): string {
  return `${code(name)} (pid ${pid}) uses ${formatPercent(cpuPercent)} of one core`;
}

function busiest({ processes }: Machine): Process | undefined {
  return valueOf(processes)?.processes[0];
}

export function coresOf(cpus: number): string {
  const count = Number.isInteger(cpus) ? String(cpus) : cpus.toFixed(1);
  return cpus === 1 ? "1 core" : `${count} cores`;
}

export function valueOf<Value>(reading: Reading<Value>): Value | undefined {
  return reading.kind === "read" ? reading.value : undefined;
}
