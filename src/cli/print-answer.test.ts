import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { TaskState, TurnEventSchema, type TurnEvent } from "#gen/infragpt/v1/infragpt_pb.ts";
import { printAnswer, type Answer } from "./print-answer.ts";

type Event = Parameters<typeof create<typeof TurnEventSchema>>[1];

async function print(events: readonly Event[], { isTty = false, isJson = false } = {}) {
  let out = "";
  let err = "";
  async function* stream(): AsyncGenerator<TurnEvent> {
    for (const event of events) yield create(TurnEventSchema, event);
  }
  const terminal = {
    isTty,
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
  };
  const answer: Answer = await printAnswer(stream(), terminal, { isJson });
  return { out, err, answer };
}

const STARTED: Event = { event: { case: "started", value: { conversationId: "c", turnId: "t" } } };

function finished(text: string): Event {
  return { event: { case: "finished", value: { text, agent: "a" } } };
}

function delta(text: string): Event {
  return { event: { case: "text", value: { text } } };
}

function task(state: TaskState): Event {
  return { event: { case: "task", value: { id: "1", title: "Read logs", state } } };
}

test("writes each word of an answer once, streamed or not", async () => {
  const streamed = await print([STARTED, delta("Disk "), delta("full."), finished("Disk full.")]);
  const whole = await print([STARTED, finished("Disk full.")]);

  assert.equal(streamed.out, "Disk full.\n");
  assert.equal(whole.out, "Disk full.\n");
});

test("shows a task as one changing line on a terminal, and as plain lines elsewhere", async () => {
  const events = [task(TaskState.IN_PROGRESS), task(TaskState.COMPLETE), finished("x")];
  const onTerminal = await print(events, { isTty: true });
  const piped = await print(events);

  assert.equal(onTerminal.err, "\r\u001b[K… Read logs\r\u001b[K✓ Read logs\r\u001b[K");
  assert.equal(piped.err, "✓ Read logs\n");
});

test("lets no answer move the cursor", async () => {
  const { out } = await print([delta("a\u001b[2Jb\u009b1mc")]);

  assert.equal(out, "a[2Jb1mc");
});

test("says a sentence that was written for a chat in a terminal's way", async () => {
  const message = ":warning: The agent failed. (trace `t1`)";
  const { err } = await print([
    STARTED,
    { event: { case: "failed", value: { message, traceId: "t1" } } },
  ]);

  assert.equal(err, "✗ The agent failed. (trace `t1`)\n");
});

test("says a failure with its trace, and one JSON line for programs", async () => {
  const failure: Event = { event: { case: "failed", value: { message: "Away.", traceId: "t1" } } };
  const shown = await print([STARTED, failure]);
  const json = await print([STARTED, delta("half"), failure], { isJson: true });

  assert.equal(shown.err, "Away. (trace t1)\n");
  assert.deepEqual(JSON.parse(json.out), {
    conversation_id: "c",
    message_id: "",
    turn_id: "t",
    error: { message: "Away.", trace_id: "t1" },
  });
});
