import type { ServiceState, StateLine } from "../model.ts";
import { plain, table } from "./markdown.ts";

const LINES_SHOWN = 15;
const SIGN = { ok: "✅ ok", degraded: "⚠️ degraded", down: "❌ down" } as const;

/** The state of this service: what was asked for by name first, then everything. */
export function answerFromState(state: ServiceState, question: string): readonly string[] {
  const groups: readonly (readonly [string, readonly StateLine[]])[] = [
    ["Connections", state.connections],
    ["Agents", state.agents],
    ["Queues", state.queues],
    ["Database", [state.database]],
  ];
  const all = groups.flatMap(([, lines]) => lines);
  const named = all.filter((line) => isNamed(line, question));
  const first = named.length > 0 ? named.map(sentence).join("\n\n") : summary(all);
  const missing = isAbout(question, "slack") && !named.some(({ name }) => isAbout(name, "slack"));
  // A question about one thing gets the tables that hold it.
  const shown =
    named.length === 0
      ? groups
      : groups.filter(([, lines]) => lines.some((line) => named.includes(line)));
  return [
    missing ? `**No.** No Slack connection is configured.\n\n${summary(all)}` : first,
    ...shown.map(([title, lines]) => `**${title}**\n\n${lineTable(lines)}`),
  ];
}

function summary(lines: readonly StateLine[]): string {
  const bad = lines.filter(({ state }) => state !== "ok");
  if (bad.length === 0) return "**Everything of this service is in order.**";
  return `**Look at ${bad.map(({ name, state }) => `${plain(name)} (${state})`).join(", ")}.** The rest is in order.`;
}

function sentence({ name, state, detail }: StateLine): string {
  return `**${plain(name)}: ${SIGN[state]}**${detail === "" ? "" : `, ${plain(detail)}`}`;
}

function lineTable(lines: readonly StateLine[]): string {
  if (lines.length === 0) return "None.";
  const rows = lines
    .slice(0, LINES_SHOWN)
    .map(({ name, state, detail }) => [
      plain(name),
      SIGN[state],
      plain(detail.slice(0, 300)) || "-",
    ]);
  const left = lines.length - rows.length;
  return `${table(["Name", "State", "Detail"], rows)}${left > 0 ? `\n\n… and ${left} more.` : ""}`;
}

function isNamed({ name }: StateLine, question: string): boolean {
  return name.split(/[\s:/]+/).some((word) => word.length > 2 && isAbout(question, word));
}

function isAbout(text: string, word: string): boolean {
  const words = text.toLowerCase().split(/[^\p{L}\p{N}-]+/u);
  return words.includes(word.toLowerCase());
}
