import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

import type { Order, Report, StartOrder } from "./ipc.ts";

const START_TIMEOUT_MS = 20_000;

/** One process of the fake agent. */
export class AgentProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #port = 0;
  /** Orders are answered in their order. */
  readonly #awaited: (() => void)[] = [];

  constructor(start: StartOrder, onReport: (report: Report) => void) {
    // Without the flags of the test runner, which are not for this program.
    this.#child = fork(join(import.meta.dirname, "main.ts"), [JSON.stringify(start)], {
      execArgv: [],
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    this.#ended = once(this.#child, "exit");
    this.#child.on("message", (report: Report) => {
      if (report.kind === "listening") this.#port = report.port;
      if (report.kind === "done") this.#awaited.shift()?.();
      onReport(report);
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Resolves with the port once it serves. */
  async listening(): Promise<number> {
    const signal = AbortSignal.timeout(START_TIMEOUT_MS);
    while (this.#port === 0) {
      await Promise.race([once(this.#child, "message", { signal }), this.#ended]);
      if (this.#hasEnded()) throw new Error("the fake agent ended before it listened");
    }
    return this.#port;
  }

  /** Resolves when the process did as told. */
  async order(order: Order): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#awaited.push(resolve);
    if (this.#child.connected) this.#child.send(order);
    await Promise.race([promise, this.#ended]);
    if (this.#hasEnded()) throw new Error("the fake agent does not run: restart it first");
  }

  #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }
}
