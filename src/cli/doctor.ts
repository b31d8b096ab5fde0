import { ConfigError, type Config } from "#config";
import { checkAgents } from "./checks/check-agents.ts";
import { checkDatabase } from "./checks/check-database.ts";
import { checkGitHub } from "./checks/check-github.ts";
import { checkPorts } from "./checks/check-ports.ts";
import { checkSlack } from "./checks/check-slack.ts";
import { failed, ok, type Finding } from "./checks/finding.ts";
import { commandLog, scrubberFor } from "./command-log.ts";
import type { Values } from "./commands.ts";
import { readConfig } from "./read-config.ts";
import { table, withoutControls, type CliContext } from "./terminal.ts";

const MARK = { ok: "✓", warning: "!", failed: "✗" } as const;

/** Looks at everything the service needs and says what to do. Returns 1 when something is broken. */
export async function doctor(context: CliContext, values: Values): Promise<number> {
  const findings = await examine(context, values);
  const isWell = findings.every(({ state }) => state !== "failed");
  const { terminal } = context;
  if (values["json"] === true) terminal.out(`${JSON.stringify({ ok: isWell, findings })}\n`);
  else terminal.out(table(findings.map(({ name, state, detail }) => [MARK[state], name, detail])));
  return isWell ? 0 : 1;
}

async function examine(context: CliContext, values: Values): Promise<readonly Finding[]> {
  let config: Config;
  try {
    config = readConfig(context, values);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ path, message }) => failed("config", `${path}: ${message}`));
  }
  const options = { signal: context.signal, log: commandLog(config, context.terminal, "silent") };
  const place = config.file ?? "no file";
  const groups = await Promise.all([
    checkDatabase(config, options),
    checkSlack(config, options),
    checkGitHub(config, options),
    checkAgents(config, options),
    checkPorts(config, options),
  ]);
  const scrubber = scrubberFor(config);
  const findings = [ok("config", `${place}, ${config.mode} mode`), ...groups.flat()];
  return findings.map((finding) => ({
    ...finding,
    detail: scrubber.scrub(withoutControls(finding.detail)).replaceAll("\n", " "),
  }));
}
