import { COMMANDS, HELP, type Command } from "./commands.ts";
import { table } from "./terminal.ts";

export function overview(): string {
  const rows = Object.entries(COMMANDS).map(([name, { summary }]) => [`  ${name}`, summary]);
  return `Usage: infragpt <command> [options]\n\nCommands\n${table(rows)}
\`infragpt <command> --help\` shows a command's options, \`infragpt --version\` the version.\n`;
}

export function commandHelp(name: string, { summary, usage, options }: Command): string {
  const rows = Object.entries({ ...options, help: HELP }).map(
    ([option, { value, short, help }]) => [
      `  --${option}${value === undefined ? "" : ` <${value}>`}${short === undefined ? "" : `, -${short}`}`,
      help,
    ],
  );
  const use = ["infragpt", name, usage, "[options]"].filter((word) => word !== "").join(" ");
  return `${summary}.\n\nUsage: ${use}\n\nOptions\n${table(rows)}`;
}
