import { fork, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { sql } from "kysely";
import { createApp, type App, type AppDeps } from "#app";
import { createLog, createScrubber } from "#platform";
import type { FakeSlack } from "../fakes/slack/index.ts";
import type { TestDatabase } from "./database.ts";
import { configOf, type ServiceSpec } from "./service-config.ts";

/** The whole service in this process. */
export async function startService(
  spec: ServiceSpec,
  deps: Pick<AppDeps, "connectors"> = {},
): Promise<App & AsyncDisposable> {
  const config = configOf(spec);
  const log = createLog({ level: config.logLevel, format: "json", scrubber: createScrubber() });
  const app = createApp(config, { log, ...deps });
  await app.start();
  return Object.assign(app, { [Symbol.asyncDispose]: () => app.stop() });
}

/** The whole service in a process of its own, to be killed. */
export interface ServiceProcess extends AsyncDisposable {
  readonly pid: number;
  /** Resolves once it takes work. */
  readonly ready: Promise<App["addresses"]>;
  /** Resolves when it has ended, with the signal that ended it. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  kill(signal?: NodeJS.Signals): Promise<void>;
}

export function spawnService(spec: ServiceSpec): ServiceProcess {
  const child = fork(join(import.meta.dirname, "service-main.ts"), [JSON.stringify(spec)], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  async function kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    child.kill(signal);
    await exited;
  }
  return {
    pid: child.pid ?? 0,
    ready: readyOf(child, exited),
    exited,
    kill,
    [Symbol.asyncDispose]: () => kill("SIGKILL"),
  };
}

async function readyOf(
  child: ChildProcess,
  exited: Promise<{ signal: string | null }>,
): Promise<App["addresses"]> {
  const message = new Promise<App["addresses"]>((resolve) => {
    child.once("message", (addresses) => resolve(addresses as App["addresses"]));
  });
  const early = exited.then(({ signal }) => {
    throw new Error(`The service ended before it was ready (${signal ?? "exit"}).`);
  });
  // A service that is killed on purpose before it is ready is no failure of the test.
  early.catch(() => undefined);
  return Promise.race([message, early]);
}

/** A service token made by the local admin, who signs in with the printed link. */
export async function aServiceToken(service: App, scopes: readonly string[]): Promise<string> {
  const link = await service.createLoginLink();
  const login = await fetch(link ?? "", { redirect: "manual" });
  const cookie = (login.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
  const { origin } = new URL(link ?? "");
  const made = await fetch(`${origin}/api/v1/tokens`, {
    method: "POST",
    body: JSON.stringify({ name: "test", scopes }),
    headers: { "content-type": "application/json", origin, cookie },
  });
  const answer = (await made.json()) as { token?: string };
  if (!answer.token) throw new Error(`No token was made: ${JSON.stringify(answer)}`);
  return answer.token;
}

/** A directory for one test's service, removed at the end. */
export function aHome(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "infragpt-test-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** How the service reaches a fake Slack's default workspace over sockets. */
export function socketSlack(slack: FakeSlack): NonNullable<ServiceSpec["slack"]> {
  return { apiUrl: slack.apiUrl, appToken: slack.appToken, botToken: slack.workspace.botToken };
}

/**
 * Resolves when nothing is under way any more: every stored delivery, turn and post has ended. The
 * services may be other processes, so the database is asked again and again.
 */
export async function untilSettled(database: TestDatabase, timeoutMs = 20_000): Promise<void> {
  const signal = AbortSignal.timeout(timeoutMs);
  for (;;) {
    const { rows } = await sql<{ what: string; id: string }>`
      select 'delivery' as what, id from inbox where state = 'stored'
      union all select 'turn', id from turns where state in ('queued', 'running')
      union all select 'post', id from posts where state in ('waiting', 'posting')
      limit 5`.execute(database.db);
    if (rows.length === 0) return;
    if (signal.aborted) throw new Error(`still under way: ${JSON.stringify(rows)}`);
    await setTimeout(20);
  }
}
