import { status as grpcStatus } from "@grpc/grpc-js";

import { behave } from "./behaviours.ts";
import type { ReceivedRequest } from "./fake-agent.ts";
import type { Report } from "./ipc.ts";
import { sendReply } from "./send-reply.ts";
import type { Answer } from "./turn.ts";

export type RequestFacts = Omit<ReceivedRequest, "number" | "metadata" | "deadlineMs">;

/** What both kinds of calls have. */
interface Call {
  readonly metadata: { getMap(): Record<string, string | Buffer> };
  getDeadline(): Date | number;
}

interface RunnerOptions {
  readonly behaviour: string;
  readonly backend: string;
  readonly requestsBefore: number;
  readonly report: (report: Report) => void;
}

/** Runs turns: reports what arrives, holds it while paused, then behaves. */
export class TurnRunner {
  behaviour: string;
  backend: string;
  readonly #report: (report: Report) => void;
  #count: number;
  #gate = Promise.withResolvers<void>();

  constructor({ behaviour, backend, requestsBefore, report }: RunnerOptions) {
    this.behaviour = behaviour;
    this.backend = backend;
    this.#count = requestsBefore;
    this.#report = report;
    this.#gate.resolve();
  }

  pause(): void {
    this.#gate = Promise.withResolvers();
  }

  release(): void {
    this.#gate.resolve();
  }

  async run(call: Call, facts: RequestFacts, answer: Answer, signal: AbortSignal): Promise<void> {
    this.#count += 1;
    const number = this.#count;
    const deadlineMs = Number(call.getDeadline()) - Date.now();
    const request: ReceivedRequest = {
      ...facts,
      number,
      metadata: readMetadata(call),
      ...(Number.isFinite(deadlineMs) ? { deadlineMs } : {}),
    };
    let isOver = false;
    // grpc-js calls an answered call cancelled too, once its stream closes.
    signal.addEventListener("abort", () => {
      if (!isOver) this.#report({ kind: "cancelled", number });
    });
    this.#report({ kind: "request", request });
    await this.#gate.promise;
    try {
      await behave(
        {
          request,
          answer,
          signal,
          sendReply: (text) => sendReply(this.backend, request.conversationId, text),
        },
        this.behaviour,
      );
    } catch (error) {
      if (!signal.aborted) answer.status(grpcStatus.INTERNAL, String(error));
    } finally {
      isOver = true;
    }
  }
}

function readMetadata(call: Call): Record<string, string> {
  const entries = Object.entries(call.metadata.getMap());
  return Object.fromEntries(entries.map(([name, value]) => [name, value.toString()]));
}
