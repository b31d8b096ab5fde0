import { githubSettings } from "#app";
import type { Config } from "#config";
import { diagnoseGitHub } from "#integrations";
import { deadline, type Abortable } from "#platform";
import { failed, ok, warning, type Finding } from "./finding.ts";

const CHECK_TIMEOUT_MS = 20_000;

/** The GitHub App: its key, what it is granted, and where its webhooks go. */
export async function checkGitHub(
  config: Config,
  { signal }: Abortable,
): Promise<readonly Finding[]> {
  const settings = githubSettings(config);
  if (settings === undefined) return [ok("github", "not configured")];
  const expected = { webhookUrl: `${config.publicUrl}/webhooks/github` };
  const options = { signal: deadline(signal, CHECK_TIMEOUT_MS) };
  const lines = await diagnoseGitHub(settings, expected, options);
  return lines.map(({ name, state, detail }) => MAKE[state](name, detail));
}

const MAKE = { ok, warning, failed } as const;
