import type { Config } from "#config";
import { diagnoseSlack } from "#integrations";
import { deadline, type Abortable } from "#platform";
import { ok, type Finding } from "./finding.ts";

const CALL_TIMEOUT_MS = 10_000;

/** The Slack app: tokens, scopes, and whether a second install shares its app token. */
export async function checkSlack(
  { slack }: Config,
  { signal }: Abortable,
): Promise<readonly Finding[]> {
  if (slack === undefined) return [ok("slack", "not configured")];
  const lines = await diagnoseSlack(
    { ...slack, callTimeoutMs: CALL_TIMEOUT_MS },
    { signal: deadline(signal, 3 * CALL_TIMEOUT_MS) },
  );
  return lines.map(({ name, ok: isOk, detail }) => ({
    name,
    state: isOk ? "ok" : "failed",
    detail,
  }));
}
