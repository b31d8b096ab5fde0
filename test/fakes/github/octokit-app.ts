import { App } from "@octokit/app";
import { Octokit } from "@octokit/core";

import type { FakeGitHub } from "./fake-github.ts";

/** Refusals are what the tests are about; they need no lines in the log. */
export const QUIET = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** GitHub's own client of an App, pointed at the fake. */
export function makeOctokitApp(github: FakeGitHub): App {
  return new App({
    appId: github.appId,
    privateKey: github.privateKey,
    oauth: { clientId: github.clientId, clientSecret: github.clientSecret },
    webhooks: { secret: github.webhookSecret },
    Octokit: Octokit.defaults({ baseUrl: github.apiUrl, log: QUIET }),
    log: QUIET,
  });
}

/** An Octokit with a token of one installation, narrowed if asked. */
export async function makeOctokit(
  github: FakeGitHub,
  installationId: number,
  narrowing: {
    readonly repositories?: string[];
    readonly repository_ids?: number[];
    readonly permissions?: Record<string, "read" | "write">;
  } = {},
): Promise<Octokit> {
  const { octokit } = makeOctokitApp(github);
  const { data } = await octokit.request(
    "POST /app/installations/{installation_id}/access_tokens",
    { installation_id: installationId, ...narrowing },
  );
  return new Octokit({ baseUrl: github.apiUrl, auth: data.token, log: QUIET });
}

/** The status that a call is refused with. */
export async function statusOf(call: Promise<unknown>): Promise<number> {
  try {
    await call;
    return 200;
  } catch (error) {
    if (error instanceof Error && "status" in error) return Number(error.status);
    throw error;
  }
}

function ignore(): void {
  // Nobody reads it.
}
