import { hostname } from "node:os";
import type { Intent } from "./intents.ts";
import { diagnose } from "./machine/diagnose.ts";
import type { Listener, Machine } from "./machine/model.ts";
import { code, formatBytes } from "./markdown.ts";
import {
  cpuLine,
  diskTable,
  fullestDiskLine,
  listenerTable,
  memoryLine,
  overviewTable,
  processRows,
  processTable,
  swapLine,
  unavailable,
  uptimeLine,
} from "./sections.ts";

/** The intents that live readings of the machine answer. */
export type MachineIntent = Exclude<Intent, { kind: "help" | "state" | "unknown" }>;

/** Blocks of Markdown, the answer to the question first and its evidence below. Undefined: nothing running has a name that was asked for. */
export function answerFromMachine(
  intent: MachineIntent,
  machine: Machine,
): readonly string[] | undefined {
  switch (intent.kind) {
    case "slow_elsewhere":
      return [
        "No model is configured, so I cannot look into that itself, only at the machine that InfraGPT runs on:",
        ...overview(machine),
      ];
    case "slow":
    case "machine":
      return overview(machine);
    case "disks":
      return [disksVerdict(machine), diskTable(machine)];
    case "memory":
      return [
        `**Memory on ${here()}:** ${memoryLine(machine)}; swap: ${swapLine(machine)}.`,
        `**Largest processes**\n\n${processTable(machine, "memory")}`,
      ];
    case "load":
      return [
        `**CPU on ${here()}:** ${cpuLine(machine)}.`,
        `**Busiest processes**\n\n${processTable(machine, "cpu")}`,
      ];
    case "uptime":
      return [`${here()} has been up for ${uptimeLine(machine)}.`];
    case "ports":
      return portsAnswer(machine);
    case "port":
      return portAnswer(machine, intent.port);
    case "processes":
      return [busiestLine(machine, intent.by), processTable(machine, intent.by)];
    case "process":
      break;
  }
  return processAnswer(machine, intent.words);
}

function overview(machine: Machine): string[] {
  return [
    verdict(machine),
    overviewTable(machine),
    `**Busiest processes**\n\n${processTable(machine, "cpu")}`,
  ];
}

function here(): string {
  return code(hostname());
}

function verdict(machine: Machine): string {
  const [first, ...others] = diagnose(machine);
  const missing = missingReadings(machine);
  if (first === undefined) {
    return `**Nothing stands out on ${here()}**, where InfraGPT runs.${missing}`;
  }
  const also = others.map(({ sentence }) => `- ${sentence}.`).join("\n");
  return `**${first.sentence}** (on ${here()}, where InfraGPT runs).${also === "" ? "" : `\n\nAlso:\n${also}`}${missing}`;
}

/** A verdict from half the readings says so. */
function missingReadings(machine: Machine): string {
  const missing = (["load", "memory", "disks", "processes"] as const).filter(
    (name) => machine[name].kind === "unavailable",
  );
  return missing.length === 0 ? "" : `\n\nI could not read: ${missing.join(", ")}.`;
}

function disksVerdict(machine: Machine): string {
  if (machine.disks.kind === "unavailable") return `**I could not read the disks of ${here()}.**`;
  const full = diagnose(machine).filter(({ kind }) => kind === "disk");
  if (full.length === 0) {
    return `**No disk of ${here()} is nearly full.** The fullest: ${fullestDiskLine(machine)}.`;
  }
  return `**${full.map(({ sentence }) => sentence).join("; ")}** (on ${here()}).`;
}

function portsAnswer({ listeners }: Machine): string[] {
  if (listeners.kind === "unavailable") return [`Listening ports: ${unavailable(listeners)}.`];
  const tcp = listeners.value.filter(({ protocol }) => protocol === "tcp").length;
  const udp = listeners.value.length - tcp;
  const count = `**${tcp} TCP and ${udp} UDP sockets listen on ${here()}**, as seen from InfraGPT's network.`;
  return listeners.value.length === 0 ? [count] : [count, listenerTable(listeners.value)];
}

function portAnswer({ listeners }: Machine, port: number): string[] {
  if (listeners.kind === "unavailable") return [`Port ${port}: ${unavailable(listeners)}.`];
  const found = listeners.value.filter((listener) => listener.port === port);
  if (found.length === 0) {
    return [
      `**No.** Nothing listens on port ${port} of ${here()}, as seen from InfraGPT's network.`,
    ];
  }
  return [`**Yes.** ${ownersOf(found)} on port ${port} of ${here()}.`, listenerTable(found)];
}

function ownersOf(listeners: readonly Listener[]): string {
  const names = listeners.map(({ process }) =>
    process === undefined ? undefined : `${code(process.name)} (pid ${process.pid})`,
  );
  const known = [...new Set(names.filter((name) => name !== undefined))];
  if (known.length === 0) return "A process that I may not look into listens";
  return `${known.join(", ")} ${known.length === 1 ? "listens" : "listen"}`;
}

function busiestLine(machine: Machine, by: "cpu" | "memory"): string {
  if (machine.processes.kind === "unavailable") return `**Processes of ${here()}**`;
  const { processes } = machine.processes.value;
  const [top] =
    by === "cpu" ? processes : processes.toSorted((a, b) => b.memoryBytes - a.memoryBytes);
  if (top === undefined) return `**Processes of ${here()}**`;
  const figure =
    by === "cpu"
      ? `${Math.round(top.cpuPercent)} % of one core`
      : `${formatBytes(top.memoryBytes)} of memory`;
  return `**${code(top.name)} (pid ${top.pid}) uses the most on ${here()}: ${figure}.**`;
}

// Words of a question that are also names of programs.
const NOT_A_NAME = new Set([
  "is",
  "a",
  "the",
  "process",
  "running",
  "what",
  "top",
  "who",
  "w",
  "which",
  "time",
  "it",
  "doing",
  "my",
]);

function processAnswer({ processes }: Machine, words: readonly string[]): string[] | undefined {
  if (processes.kind === "unavailable") return [`Processes: ${unavailable(processes)}.`];
  const asked = new Set(words.filter((word) => !NOT_A_NAME.has(word)));
  const found = processes.value.processes.filter(({ name, pid }) => {
    const parts = name.toLowerCase().split(/[\s/]+/);
    return (
      asked.has(String(pid)) ||
      parts.some((part) => asked.has(part) || asked.has(part.replace(/\.\w+$/, "")))
    );
  });
  if (found.length > 0) {
    const total = found.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
    const count = found.length === 1 ? "1 process" : `${found.length} processes`;
    return [
      `**Yes: ${count} on ${here()}**, ${formatBytes(total)} of memory in all.`,
      processRows(found.slice(0, 10)),
    ];
  }
  const name = askedProcess(words);
  if (name === undefined) return undefined;
  return [`**No.** No process named ${code(name)} runs on ${here()}, as far as InfraGPT can see.`];
}

/** The name in "is NAME running" and "process NAME". */
function askedProcess(words: readonly string[]): string | undefined {
  const running = words.findIndex((word) => /^(?:running|up|alive)$/.test(word));
  const before = words
    .slice(0, Math.max(0, running))
    .findLast((word) => !/^(?:still|is|the|a)$/.test(word));
  const after = words[words.indexOf("process") + 1];
  return words.includes("process") && after !== undefined ? after : before;
}
