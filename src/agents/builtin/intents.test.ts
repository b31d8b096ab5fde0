import assert from "node:assert/strict";
import { test } from "node:test";
import { findIntent } from "./intents.ts";

const QUESTIONS: readonly (readonly [string, string])[] = [
  ["hello", "help"],
  ["<@U0BOT> hi there!", "help"],
  ["@infragpt", "help"],
  ["what can you do?", "help"],
  ["help", "help"],
  ["status", "state"],
  ["are you connected to slack?", "state"],
  ["Which agents are connected?", "state"],
  ["is the database up?", "state"],
  ["how long are the queues", "state"],
  ["why is this machine slow?", "slow"],
  ["everything is so sluggish today", "slow"],
  ["what's wrong with the server?", "slow"],
  ["why is checkout slow?", "slow_elsewhere"],
  ["how is the machine doing", "machine"],
  ["health", "machine"],
  ["disk full?", "disks"],
  ["how much space is left on /var", "disks"],
  ["is anything full?", "disks"],
  ["how much memory is free", "memory"],
  ["are we swapping?", "memory"],
  ["what is the load", "load"],
  ["cpu?", "load"],
  ["uptime", "uptime"],
  ["how long has this been up?", "uptime"],
  ["what is listening here?", "ports"],
  ["list open ports", "ports"],
  ["which process eats the memory", "processes memory"],
  ["what is using all the RAM?", "processes memory"],
  ["top", "processes cpu"],
  ["which process uses the most cpu", "processes cpu"],
  ["show me the busiest processes", "processes cpu"],
  ["is anything listening on 8080?", "port 8080"],
  ["port 5432?", "port 5432"],
  ["who uses port 443", "port 443"],
  ["what runs at localhost:3000", "port 3000"],
  ["is nginx running?", "process"],
  ["what is postgres doing", "process"],
  ["process node", "process"],
  ["why did the deploy of payments fail last night?", "unknown"],
  ["write me a poem", "unknown"],
];

for (const [question, expected] of QUESTIONS) {
  test(`takes "${question}" for ${expected}`, () => {
    const intent = findIntent(question);

    const detail =
      intent.kind === "port"
        ? ` ${intent.port}`
        : intent.kind === "processes"
          ? ` ${intent.by}`
          : "";
    assert.equal(`${intent.kind}${detail}`, expected);
  });
}

test("does not take a time or a large number for a port", () => {
  assert.equal(findIntent("we had errors since 12:30 with code 99999999").kind, "unknown");
});

test("reads a question of a megabyte without delay", () => {
  const startedAt = performance.now();

  findIntent("running ".repeat(125_000));
  findIntent(`${"uses ".repeat(200_000)}!`);

  assert.ok(performance.now() - startedAt < 200);
});
