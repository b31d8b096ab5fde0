import { Change } from "../../support/until.ts";
import { AgentProcess } from "./agent-process.ts";
import type { FakeAgent, FakeAgentOptions, ReceivedRequest } from "./fake-agent.ts";
import type { Report, StartOrder } from "./ipc.ts";

/** Starts an agent in a process of its own. Close it with `await using`. */
export async function startFakeAgent(options: FakeAgentOptions = {}): Promise<FakeAgent> {
  const change = new Change();
  const requests: ReceivedRequest[] = [];
  const cancelled: ReceivedRequest[] = [];
  let start: StartOrder = {
    port: options.port ?? 0,
    behaviour: options.behaviour ?? "echo",
    backend: options.backend ?? "",
    requestsBefore: 0,
  };
  let agent = new AgentProcess(start, onReport);
  start = { ...start, port: await agent.listening() };

  function onReport(report: Report): void {
    if (report.kind === "request") requests.push(report.request);
    if (report.kind === "cancelled") {
      const request = requests.find(({ number }) => number === report.number);
      if (request) cancelled.push(request);
    }
    change.notify();
  }

  function describe(): string {
    const texts = requests.map(
      ({ number, text }) => `${number}: ${JSON.stringify(text.slice(0, 60))}`,
    );
    return `requests: ${texts.join(", ") || "none"}; cancelled: ${cancelled.map((r) => r.number).join(", ") || "none"}`;
  }

  return {
    endpoint: `127.0.0.1:${start.port}`,
    get pid() {
      return agent.pid;
    },
    requests: () => [...requests],
    cancellations: () => [...cancelled],
    waitForRequest: (wanted = () => true, wait = {}) =>
      change.until("a request", () => requests.find(wanted), describe, wait),
    async waitForCancel(count = 1, wait = {}) {
      const what = `${count} cancelled calls`;
      await change.until(what, () => cancelled.length >= count || undefined, describe, wait);
    },
    pause: () => agent.order({ kind: "pause" }),
    release: () => agent.order({ kind: "release" }),
    setBehaviour(behaviour) {
      start = { ...start, behaviour };
      return agent.order({ kind: "behaviour", behaviour });
    },
    setBackend(endpoint) {
      start = { ...start, backend: endpoint };
      return agent.order({ kind: "backend", endpoint });
    },
    setHealth: (health) => agent.order({ kind: "health", isServing: health === "SERVING" }),
    kill: () => agent.kill(),
    async restart() {
      await agent.kill();
      agent = new AgentProcess({ ...start, requestsBefore: requests.length }, onReport);
      await agent.listening();
    },
    [Symbol.asyncDispose]: () => agent.kill(),
  };
}
