import { ConnectorError } from "@infragpt/connector-kit";
import { createGitHubClient, type GitHubRequest } from "./client.ts";
import type { Abortable, GitHubConfig } from "./config.ts";
import { EVENTS, listMissing } from "./permissions.ts";

/** One finding: what was looked at, whether it is well, and what to do if not. */
interface DiagnosisLine {
  readonly name: string;
  readonly state: "ok" | "warning" | "failed";
  readonly detail: string;
}

/** Looks at everything the GitHub App needs, for people. Never rejects, and never names a secret. */
export async function diagnoseGitHub(
  config: GitHubConfig,
  expected: { readonly webhookUrl: string },
  options: Abortable,
): Promise<readonly DiagnosisLine[]> {
  const name = "github app";
  try {
    const request = await createGitHubClient(config).asApp(options);
    const { data: app } = await request("GET /app");
    if (app === null) return [{ name, state: "failed", detail: "GitHub does not know it" }];
    const slug = app.slug ?? "";
    const isOther = config.appSlug !== undefined && config.appSlug !== slug;
    return [
      isOther
        ? { name, state: "failed", detail: `its app_slug is ${slug}, not ${config.appSlug}` }
        : { name, state: "ok", detail: `${app.name} (${slug})` },
      judgePermissions({ ...app.permissions }, app.events),
      judgeConnecting(config),
      await diagnoseWebhook(request, config, expected),
    ];
  } catch (error) {
    return [{ name, state: "failed", detail: describe(error) }];
  }
}

function judgePermissions(
  granted: Readonly<Record<string, unknown>>,
  events: readonly string[],
): DiagnosisLine {
  const name = "github permissions";
  const deaf = EVENTS.filter((event) => !events.includes(event)).map((event) => `event ${event}`);
  const missing = [...listMissing(granted), ...deaf];
  if (missing.length === 0) return { name, state: "ok", detail: "all that are needed" };
  return { name, state: "warning", detail: `missing: ${missing.join(", ")}; add them to the app` };
}

function judgeConnecting({ clientId }: GitHubConfig): DiagnosisLine {
  const name = "github accounts";
  if (clientId !== undefined) return { name, state: "ok", detail: "can be connected" };
  const detail = "cannot be connected: set client_id, client_secret and app_slug";
  return { name, state: "warning", detail };
}

async function diagnoseWebhook(
  request: GitHubRequest,
  { webhookSecrets }: GitHubConfig,
  { webhookUrl }: { readonly webhookUrl: string },
): Promise<DiagnosisLine> {
  const name = "github webhook";
  if (webhookSecrets.length === 0) {
    return {
      name,
      state: "failed",
      detail: "webhook_secret is missing: nothing is heard of GitHub",
    };
  }
  try {
    const { data } = await request("GET /app/hook/config");
    const { url = "" } = data;
    if (url === webhookUrl) return { name, state: "ok", detail: url };
    // The dedicated port, or a proxy, may have an address of its own.
    const detail = `goes to ${url || "no address"}; public_url says ${webhookUrl}`;
    const isOurs = URL.parse(url)?.pathname === "/webhooks/github";
    return { name, state: isOurs ? "warning" : "failed", detail };
  } catch (error) {
    return { name, state: "failed", detail: describe(error) };
  }
}

function describe(error: unknown): string {
  return error instanceof ConnectorError ? error.message : "an unexpected failure";
}
