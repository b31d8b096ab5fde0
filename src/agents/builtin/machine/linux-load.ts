import { cpus, loadavg, uptime } from "node:os";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { readContainerLimits } from "./linux-cgroup.ts";
import type { Load, Memory } from "./model.ts";

/** Load and how the cores spent the sample. */
export async function readLoad(sampleMs: number): Promise<Load> {
  const before = await readCpuTimes();
  await sleep(sampleMs);
  const spent = subtract(await readCpuTimes(), before);
  const limits = await readContainerLimits();
  const machineCpus = cpus().length;
  const [one = 0, five = 0, fifteen = 0] = loadavg();
  return {
    averages: [one, five, fifteen],
    cpus: Math.min(machineCpus, limits.cpus ?? machineCpus),
    machineCpus,
    busyPercent: percent(spent.total - spent.idle - spent.ioWait, spent.total),
    ioWaitPercent: percent(spent.ioWait, spent.total),
    stealPercent: percent(spent.steal, spent.total),
    uptimeSeconds: uptime(),
  };
}

/** The machine's memory, or the container's where that is the tighter limit. */
export async function readMemory(): Promise<Memory> {
  const info = await readFile("/proc/meminfo", "utf8");
  const limits = await readContainerLimits();
  const machine = {
    totalBytes: bytesOf(info, "MemTotal"),
    availableBytes: bytesOf(info, "MemAvailable"),
    swapTotalBytes: bytesOf(info, "SwapTotal"),
    swapUsedBytes: bytesOf(info, "SwapTotal") - bytesOf(info, "SwapFree"),
  };
  const { memoryMaxBytes, memoryUsedBytes } = limits;
  if (memoryMaxBytes === undefined || memoryMaxBytes >= machine.totalBytes) {
    return { ...machine, isContainerLimit: false };
  }
  const left = Math.max(0, memoryMaxBytes - (memoryUsedBytes ?? 0));
  return {
    ...machine,
    totalBytes: memoryMaxBytes,
    availableBytes: Math.min(left, machine.availableBytes),
    isContainerLimit: true,
  };
}

function bytesOf(info: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(info)?.[1] ?? 0) * 1024;
}

interface CpuTimes {
  readonly total: number;
  readonly idle: number;
  readonly ioWait: number;
  readonly steal: number;
}

/** The first line of /proc/stat: user nice system idle iowait irq softirq steal, in ticks. Guest time is within user. */
async function readCpuTimes(): Promise<CpuTimes> {
  const [line = ""] = (await readFile("/proc/stat", "utf8")).split("\n", 1);
  const ticks = line.trim().split(/\s+/).slice(1, 9).map(Number);
  const [, , , idle = 0, ioWait = 0, , , steal = 0] = ticks;
  return { total: ticks.reduce((sum, value) => sum + value, 0), idle, ioWait, steal };
}

function subtract(after: CpuTimes, before: CpuTimes): CpuTimes {
  return {
    total: after.total - before.total,
    idle: after.idle - before.idle,
    // The kernel's counter of waiting may step back a little.
    ioWait: Math.max(0, after.ioWait - before.ioWait),
    steal: after.steal - before.steal,
  };
}

function percent(part: number, whole: number): number {
  return whole > 0 ? Math.min(100, Math.max(0, (part / whole) * 100)) : 0;
}
