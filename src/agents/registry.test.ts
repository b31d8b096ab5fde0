import assert from "node:assert/strict";
import { test } from "node:test";
import { createBreaker } from "#platform";
import type { AgentConfig } from "./model.ts";
import { orderForMessage, type Member } from "./registry.ts";
import { aConfig } from "./testing.ts";

function aMember(overrides: Partial<AgentConfig>, health: Member["health"] = "healthy"): Member {
  const config = aConfig("127.0.0.1:1", overrides);
  return {
    agent: {
      config,
      attempt: () => Promise.resolve(),
      findProblem: () => Promise.resolve(undefined),
      close: () => undefined,
    },
    breaker: createBreaker({ name: config.name }),
    health,
    detail: undefined,
  };
}

function namesFor(members: readonly Member[], text: string): string[] {
  return orderForMessage(members, text).map(({ agent }) => agent.config.name);
}

test("leaves out agents that are for other messages", () => {
  const members = [aMember({ name: "billing", handles: ["invoice"] }), aMember({ name: "all" })];

  assert.deepEqual(namesFor(members, "why is checkout slow?"), ["all"]);
});

test("asks the agent with the longest match first", () => {
  const members = [
    aMember({ name: "all", handles: ["*"], priority: 100 }),
    aMember({ name: "kubernetes", handles: ["pod"] }),
    aMember({ name: "crashes", handles: ["pod crash loop"] }),
  ];

  assert.deepEqual(namesFor(members, "Pod crash-loop in prod!"), ["crashes", "kubernetes", "all"]);
});

test("matches whole words whatever their case and punctuation", () => {
  const members = [aMember({ name: "ci", handles: ["CI/CD", "Straße"] })];

  assert.deepEqual(namesFor(members, "is the ci-cd broken?"), ["ci"]);
  assert.deepEqual(namesFor(members, "welche STRASSE"), []);
  assert.deepEqual(namesFor(members, "which straße?"), ["ci"]);
  assert.deepEqual(namesFor(members, "special cicd"), []);
});

test("asks the higher priority first among equals, then keeps the order of the configuration", () => {
  const members = [
    aMember({ name: "low", priority: 1 }),
    aMember({ name: "first", priority: 5 }),
    aMember({ name: "second", priority: 5 }),
  ];

  assert.deepEqual(namesFor(members, "hi"), ["first", "second", "low"]);
});

test("asks unreachable agents last, but still asks them", () => {
  const members = [
    aMember({ name: "down", priority: 9 }, "unreachable"),
    aMember({ name: "new", priority: 1 }, "unknown"),
    aMember({ name: "up", priority: 0 }),
  ];

  assert.deepEqual(namesFor(members, "hi"), ["new", "up", "down"]);
});
