import { setTimeout as sleep } from "node:timers/promises";
import type { AgentTask } from "#agents";
import type { Integrations } from "#integrations";
import { deadline, type Log } from "#platform";
import type { Conversation } from "../model.ts";

/** A quick answer needs no sign of work. */
const SHOW_AFTER_MS = 800;
/** Slack allows about fifty status calls a minute for one app and workspace. */
const UPDATE_EVERY_MS = 4_000;
const CALL_TIMEOUT_MS = 5_000;

interface ProgressDeps {
  readonly integrations: Pick<Integrations, "connections">;
  readonly log: Log;
}

/** What the thread shows while an agent works. Best effort: an answer never waits for it, nor fails with it. */
export interface Progress extends AsyncDisposable {
  note(task: AgentTask): void;
}

const noProgress: Progress = { note() {}, async [Symbol.asyncDispose]() {} };

/** Shows "is working on it …" and then what the agent works on, until disposed of. The reply itself takes the status away. */
export function showProgress(
  deps: ProgressDeps,
  conversation: Conversation,
  signal: AbortSignal,
): Progress {
  const { organizationId, integrationId, channelId, threadId } = conversation;
  if (!integrationId || !channelId || !threadId) return noProgress;
  const ended = new AbortController();
  const isOver = AbortSignal.any([signal, ended.signal]);
  let current = "is working on it …";
  let shown = "";

  async function show(): Promise<void> {
    const callSignal = deadline(isOver, CALL_TIMEOUT_MS);
    const { connector, connection } = await deps.integrations.connections.open(
      organizationId,
      integrationId ?? "",
      {
        signal: callSignal,
      },
    );
    const text = current;
    await connector.messenger?.showStatus(
      connection,
      { channelId: channelId ?? "", threadId: threadId ?? "", text },
      { signal: callSignal },
    );
    shown = text;
  }

  async function run(): Promise<void> {
    for (let waitMs = SHOW_AFTER_MS; ; waitMs = UPDATE_EVERY_MS) {
      const isOn = await sleep(waitMs, true, { signal: isOver, ref: false }).catch(() => false);
      if (!isOn) return;
      if (current !== shown) await show();
    }
  }

  const running = run().catch((error: unknown) => {
    // Apps that are no agents in Slack, or lack the scope, simply show nothing.
    if (!isOver.aborted)
      deps.log.debug({ err: error, conversationId: conversation.id }, "progress is not shown");
  });
  return {
    note(task) {
      if (task.state === "in_progress") current = `is working on: ${task.title.slice(0, 80)}`;
    },
    async [Symbol.asyncDispose]() {
      ended.abort();
      await running;
    },
  };
}
