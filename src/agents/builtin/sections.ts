import { cpuUsedPercent, coresOf, DISK_NEARLY_FULL_PERCENT } from "./machine/diagnose.ts";
import type { Disk, Listener, Machine, Process, Reading } from "./machine/model.ts";
import { code, formatBytes, formatDuration, formatPercent, plain, table } from "./markdown.ts";

const PROCESSES_SHOWN = 5;
const DISKS_SHOWN = 8;
const LISTENERS_SHOWN = 25;

/** One row for each reading: the evidence of a verdict. */
export function overviewTable(machine: Machine): string {
  return table(
    ["Reading", "Now"],
    [
      ["CPU", cpuLine(machine)],
      ["Memory", memoryLine(machine)],
      ["Swap", swapLine(machine)],
      ["Fullest disk", fullestDiskLine(machine)],
      ["Up for", uptimeLine(machine)],
    ],
  );
}

export function cpuLine(machine: Machine): string {
  const { load } = machine;
  if (load.kind === "unavailable") return unavailable(load);
  const { averages, cpus, machineCpus, ioWaitPercent, stealPercent } = load.value;
  const of = cpus < machineCpus ? ` (container limit; the machine has ${machineCpus})` : "";
  return [
    `${formatPercent(cpuUsedPercent(machine) ?? 0)} busy`,
    `load ${averages.map((value) => value.toFixed(1)).join(" / ")} on ${coresOf(cpus)}${of}`,
    ...((ioWaitPercent ?? 0) >= 1
      ? [`${formatPercent(ioWaitPercent ?? 0)} waiting for disks`]
      : []),
    ...((stealPercent ?? 0) >= 1 ? [`${formatPercent(stealPercent ?? 0)} taken by the host`] : []),
  ].join(", ");
}

export function memoryLine({ memory }: Machine): string {
  if (memory.kind === "unavailable") return unavailable(memory);
  const { availableBytes, totalBytes, isContainerLimit } = memory.value;
  const limit = isContainerLimit ? " (container limit)" : "";
  return `${formatBytes(availableBytes)} of ${formatBytes(totalBytes)}${limit} available`;
}

export function swapLine({ memory }: Machine): string {
  if (memory.kind === "unavailable") return unavailable(memory);
  const { swapTotalBytes, swapUsedBytes } = memory.value;
  if (swapTotalBytes === 0) return "none";
  return `${formatBytes(swapUsedBytes)} of ${formatBytes(swapTotalBytes)} used`;
}

export function uptimeLine({ load }: Machine): string {
  return load.kind === "unavailable" ? unavailable(load) : formatDuration(load.value.uptimeSeconds);
}

export function fullestDiskLine({ disks }: Machine): string {
  if (disks.kind === "unavailable") return unavailable(disks);
  const [fullest] = disks.value.disks;
  return fullest === undefined ? "none found" : `${code(fullest.mount)} ${diskUse(fullest)}`;
}

function diskUse({ usedPercent, availableBytes }: Disk): string {
  return `${usedPercent} % used, ${formatBytes(availableBytes)} left`;
}

export function diskTable({ disks }: Machine): string {
  if (disks.kind === "unavailable") return `Disks: ${unavailable(disks)}.`;
  const shown = disks.value.disks.slice(0, DISKS_SHOWN);
  const rows = shown.map((disk) => [
    code(disk.mount),
    `${disk.usedPercent} %${disk.usedPercent >= DISK_NEARLY_FULL_PERCENT ? " ⚠️" : ""}`,
    formatBytes(disk.availableBytes),
    formatBytes(disk.sizeBytes),
    disk.inodesUsedPercent === undefined ? "-" : `${disk.inodesUsedPercent} %`,
  ]);
  return [
    table(["Mount", "Used", "Left", "Size", "Inodes"], rows),
    ...more(disks.value.disks.length - shown.length),
    ...(disks.value.skipped.length > 0
      ? [
          `Not measured, because network file systems may hang: ${disks.value.skipped.map(code).join(", ")}.`,
        ]
      : []),
  ].join("\n\n");
}

export function processTable({ processes }: Machine, by: "cpu" | "memory"): string {
  if (processes.kind === "unavailable") return `Processes: ${unavailable(processes)}.`;
  const sorted =
    by === "cpu"
      ? processes.value.processes
      : processes.value.processes.toSorted((a, b) => b.memoryBytes - a.memoryBytes);
  const rows = processRows(sorted.slice(0, PROCESSES_SHOWN));
  const scope = "Only the processes of InfraGPT's own container are visible to me.";
  return processes.value.isContainer ? `${rows}\n\n${scope}` : rows;
}

export function processRows(processes: readonly Process[]): string {
  return table(
    ["Process", "Pid", "CPU (of one core)", "Memory"],
    processes.map(({ name, pid, cpuPercent, memoryBytes }) => [
      code(name),
      String(pid),
      formatPercent(cpuPercent),
      formatBytes(memoryBytes),
    ]),
  );
}

export function listenerTable(listeners: readonly Listener[]): string {
  const shown = listeners.slice(0, LISTENERS_SHOWN);
  const rows = shown.map(({ protocol, address, port, process }) => [
    String(port),
    protocol,
    code(address),
    process === undefined ? "not readable" : `${code(process.name)} (pid ${process.pid})`,
  ]);
  return [
    table(["Port", "Protocol", "Address", "Process"], rows),
    ...more(listeners.length - shown.length),
  ].join("\n\n");
}

export function unavailable({
  reason,
}: Extract<Reading<unknown>, { kind: "unavailable" }>): string {
  return `not available: ${plain(reason.slice(0, 200))}`;
}

function more(count: number): string[] {
  return count > 0 ? [`… and ${count} more.`] : [];
}
