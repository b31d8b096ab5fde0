import type { FakeSlack } from "./fake-slack.ts";
import type { Assembly } from "./make-fake-slack.ts";
import type { FakeMessage } from "./model.ts";

type Waits = Pick<
  FakeSlack,
  "messages" | "answers" | "waitForConnections" | "waitForMessages" | "waitForAck" | "waitForCalls"
>;

/** The reading and waiting side of the handle. */
export function makeWaits(
  { deps, hub, webApi, waitTimeoutMs }: Assembly,
  defaultTeamId: string,
  defaultChannelId: string,
): Waits {
  const { state, dispatcher } = deps;

  function messages(teamId = defaultTeamId, channelId = defaultChannelId): readonly FakeMessage[] {
    return [...state.room(teamId, channelId).messages];
  }

  function answers(
    teamId = defaultTeamId,
    channelId = defaultChannelId,
    threadTs?: string,
  ): readonly FakeMessage[] {
    const { botId } = state.workspace(teamId);
    return messages(teamId, channelId)
      .filter((message) => message.bot_id === botId && !message.deleted && !message.ephemeralTo)
      .filter((message) => threadTs === undefined || message.thread_ts === threadTs);
  }

  function describe(teamId?: string, channelId?: string): string {
    const lines = messages(teamId, channelId)
      .slice(-20)
      .map((m) => `  ${m.ts} ${m.bot_id ?? m.user} ${JSON.stringify(m.visibleText.slice(0, 80))}`);
    const calls = webApi.calls
      .slice(-15)
      .map((c) => `${c.method}:${c.fault?.kind ?? JSON.stringify(c.answer?.["error"] ?? "ok")}`);
    return [
      `messages in the channel:`,
      ...lines,
      `last calls: ${calls.join(" ") || "none"}`,
      `sockets: ${hub.live.length}; ${dispatcher.describe()}`,
    ].join("\n");
  }

  return {
    messages,
    answers,
    waitForConnections: (count, options) =>
      hub.waitForCount(count, { timeoutMs: waitTimeoutMs, ...options }),
    waitForMessages(wanted, { teamId, channelId, ...options } = {}) {
      const isCount = typeof wanted === "number";
      return state.change.until(
        isCount ? `${wanted} answers` : "the wanted messages",
        () => {
          const shown = isCount ? answers(teamId, channelId) : messages(teamId, channelId);
          const isThere = isCount ? shown.length >= wanted : wanted(shown);
          return isThere ? shown : undefined;
        },
        () => describe(teamId, channelId),
        { timeoutMs: waitTimeoutMs, ...options },
      );
    },
    waitForAck: (eventId, options) =>
      dispatcher.waitForAck(eventId, { timeoutMs: waitTimeoutMs, ...options }),
    waitForCalls(method, count, options) {
      return state.change.until(
        `${count} calls of ${method}`,
        () => {
          const calls = webApi.calls.filter((call) => call.method === method);
          return calls.length >= count ? calls : undefined;
        },
        () => describe(),
        { timeoutMs: waitTimeoutMs, ...options },
      );
    },
  };
}
