import { parseArgs } from "node:util";
import manifest from "../../package.json" with { type: "json" };
import { COMMANDS, HELP, type Command } from "./commands.ts";
import { commandHelp, overview } from "./help.ts";
import type { CliContext } from "./terminal.ts";

/** Runs one command line and returns the exit code: 0 clean, 1 failed, 78 configuration or keys. */
export async function runCli(argv: readonly string[], context: CliContext): Promise<number> {
  const { terminal } = context;
  const [first] = argv;
  if (first === "--version" || first === "-v") {
    terminal.out(`${manifest.version}\n`);
    return 0;
  }
  if (first === "--help" || first === "-h" || first === "help") {
    terminal.out(overview());
    return 0;
  }
  const isNamed = first !== undefined && !first.startsWith("-");
  const name = isNamed ? first : "start";
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    const { closest } = await import("#config");
    const meant = closest(name, Object.keys(COMMANDS));
    const hint = meant === undefined ? "see infragpt --help" : `did you mean ${meant}?`;
    terminal.err(`infragpt has no command ${JSON.stringify(name.slice(0, 60))}: ${hint}\n`);
    return 1;
  }
  return runCommand(name, command, isNamed ? argv.slice(1) : argv, context);
}

async function runCommand(
  name: string,
  command: Command,
  argv: readonly string[],
  context: CliContext,
): Promise<number> {
  const parsed = parse(command, argv);
  if (typeof parsed === "string") {
    context.terminal.err(`${parsed}\nSee infragpt ${name} --help\n`);
    return 1;
  }
  const { help, ...values } = parsed.values;
  if (help === true) {
    context.terminal.out(commandHelp(name, command));
    return 0;
  }
  try {
    return await command.run(context, values, parsed.positionals);
  } catch (error) {
    const { reportError } = await import("./report-error.ts");
    return reportError(context, error);
  }
}

function parse(
  { options, isTakingWords }: Command,
  argv: readonly string[],
): ReturnType<typeof parseArgs> | string {
  try {
    return parseArgs({
      args: [...argv],
      options: { ...options, help: HELP },
      allowPositionals: isTakingWords,
    });
  } catch (error) {
    // Only parseArgs throws here; its first sentence names the argument.
    return error instanceof Error ? (error.message.split(". ")[0] ?? "") : String(error);
  }
}
