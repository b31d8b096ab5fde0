import { status as grpcStatus } from "@grpc/grpc-js";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";

import type { Turn } from "./turn.ts";

type Behaviour = (turn: Turn, words: readonly string[]) => Promise<void> | void;

const DELTA_CHARACTERS = 12;
const statusCounts = new Map<string, number>();

const BEHAVIOURS: Readonly<Record<string, Behaviour>> = {
  echo,
  async hang({ signal }) {
    if (!signal.aborted) await once(signal, "abort");
  },
  async slow(turn, [ms]) {
    await delay(Number(ms), undefined, { signal: turn.signal });
    echo(turn);
  },
  fail({ answer }, [retryable]) {
    answer.fail("the fake agent was told to fail", { isRetryable: retryable === "retryable" });
  },
  partial({ answer }) {
    answer.delta("The first half of an answer");
    answer.status(grpcStatus.UNAVAILABLE, "the fake agent broke off");
  },
  status(turn, [code = "UNKNOWN", times = "Infinity"]) {
    const before = statusCounts.get(turn.request.text) ?? 0;
    statusCounts.set(turn.request.text, before + 1);
    if (before >= Number(times)) echo(turn);
    else turn.answer.status(statusCode(code), `the fake agent was told to answer ${code}`);
  },
  async crash({ answer }) {
    answer.delta("Something before the crash");
    // The text and the report of the request leave the process first.
    await delay(20);
    process.kill(process.pid, "SIGKILL");
  },
  empty({ answer }) {
    answer.final("");
  },
  long({ answer }, [characters]) {
    const text = longText(Number(characters));
    for (const part of cut(text, 1_000)) answer.delta(part);
    answer.final(text);
  },
  plan({ answer }) {
    answer.plan("Look around", [
      { id: "disk", isComplete: false },
      { id: "memory", isComplete: false },
    ]);
    answer.delta("Two things were looked at.");
    answer.plan("Look around", [
      { id: "disk", isComplete: true },
      { id: "memory", isComplete: true },
    ]);
    answer.final("");
  },
  "mention-everyone"({ answer }) {
    answer.final(
      "<!channel> <!here> <!everyone> <@U0ALICE> @channel: the fake agent calls everyone",
    );
  },
  history({ request, answer }) {
    answer.final(JSON.stringify(request.history));
  },
  async "reply-and-return"({ request, answer, sendReply }) {
    const text = `Replied: ${request.text}`;
    await sendReply(text);
    answer.final(text);
  },
  async "reply-and-return-other"({ request, answer, sendReply }) {
    await sendReply(`Replied first: ${request.text}`);
    answer.final(`Returned second: ${request.text}`);
  },
};

/** Does what the first line of the message says, or else the default. */
export async function behave(turn: Turn, otherwise: string): Promise<void> {
  const [line = ""] = turn.request.text.split("\n");
  const asked = find(line) ?? find(otherwise);
  if (!asked) throw new Error(`the fake agent knows no behaviour "${otherwise}"`);
  await asked.behaviour(turn, asked.words);
}

/** Only a line that is nothing but a behaviour counts: "status of production?" is a question. */
function find(line: string): { behaviour: Behaviour; words: readonly string[] } | undefined {
  const [command = ""] = line.split("#");
  const [name = "", ...words] = command.trim().split(/\s+/);
  const behaviour = Object.hasOwn(BEHAVIOURS, name) ? BEHAVIOURS[name] : undefined;
  const areArguments = words.every((word) => /^(\d+|[A-Z_]+|retryable)$/.test(word));
  return behaviour && areArguments ? { behaviour, words } : undefined;
}

function echo({ request, answer }: Turn): void {
  for (const part of cut(`You said: ${request.text}`, DELTA_CHARACTERS)) answer.delta(part);
  answer.final("");
}

function statusCode(name: string): grpcStatus {
  return isStatusName(name) ? grpcStatus[name] : grpcStatus.UNKNOWN;
}

function isStatusName(name: string): name is keyof typeof grpcStatus {
  return Object.hasOwn(grpcStatus, name);
}

function cut(text: string, characters: number): string[] {
  const count = Math.ceil(text.length / characters);
  return Array.from({ length: count }, (_, i) => text.slice(i * characters, (i + 1) * characters));
}

/** Numbered lines under headings and in code fences, so that a lost, doubled or moved part is seen. */
function longText(characters: number): string {
  const parts: string[] = [];
  let length = 0;
  for (let section = 1; length < characters; section += 1) {
    const lines = Array.from({ length: 20 }, (_, i) => `line ${section}.${i + 1} of the answer`);
    const part = `## Section ${section}\n\nText of section ${section}.\n\n\`\`\`sh\n${lines.join("\n")}\n\`\`\`\n\n`;
    parts.push(part);
    length += part.length;
  }
  return parts.join("").slice(0, characters);
}
