import { ConnectorError, type ListenContext } from "@infragpt/connector-kit";
import { backoffMs, pause } from "./backoff.ts";
import { openSocket, type OpenedSocket, type OpenSocketDeps } from "./open-socket.ts";
import type { SlackSocket } from "./slack-socket.ts";

export interface SocketLinkDeps extends Omit<OpenSocketDeps, "log" | "deliver"> {
  readonly context: ListenContext;
  readonly random: () => number;
  /** How many links this service keeps. */
  readonly sockets: number;
}

/** Keeps one link open by opening one socket after the other; when Slack announces the end, before it comes. */
export class SocketLink {
  readonly #deps: SocketLinkDeps;
  readonly #sockets = new Set<SlackSocket>();
  #current: SlackSocket | undefined;
  #failures = 0;
  #lastComplaint = "";
  #lastReport = "";

  constructor(deps: SocketLinkDeps) {
    this.#deps = deps;
  }

  /** Runs until the signal aborts. Never rejects for anything that Slack does. */
  async run(): Promise<void> {
    const { signal } = this.#deps.context;
    const aborted = Promise.withResolvers<undefined>();
    signal.addEventListener("abort", () => this.#stopReading(aborted.resolve), { once: true });
    this.#report("connecting");
    while (!signal.aborted) {
      const delayMs = await this.#openNext(aborted.promise);
      await pause(delayMs, signal);
    }
    await Promise.allSettled([...this.#sockets].map((socket) => socket.close()));
    this.#report("closed", "stopped");
  }

  #stopReading(resolve: (value: undefined) => void): void {
    for (const socket of this.#sockets) socket.stopReading();
    resolve(undefined);
  }

  /** Opens a socket and waits until another is needed. Returns how long to wait before opening it. */
  async #openNext(aborted: Promise<undefined>): Promise<number> {
    const { timings, random, context } = this.#deps;
    let opened: OpenedSocket;
    try {
      opened = await openSocket(
        { ...this.#deps, log: context.log, deliver: (delivery) => context.deliver(delivery) },
        { signal: context.signal },
      );
    } catch (error) {
      this.#failures += 1;
      return context.signal.aborted ? 0 : this.#complain(error);
    }
    const openedAt = performance.now();
    this.#adopt(opened);
    const ending = await Promise.race([opened.socket.ending, aborted]);
    if (ending === undefined) return 0;
    const wasStable = performance.now() - openedAt >= timings.stableAfterMs;
    this.#failures = wasStable ? 0 : this.#failures + 1;
    const delayMs = backoffMs(this.#failures, timings, random);
    if (ending.kind === "renew") return delayMs;
    const facts = { link: this.#deps.name, reason: ending.reason, retryInMs: delayMs };
    context.log.warn(facts, "a link to Slack was lost");
    return delayMs;
  }

  #adopt({ socket, connections }: OpenedSocket): void {
    const previous = this.#current;
    this.#current = socket;
    this.#lastComplaint = "";
    this.#sockets.add(socket);
    if (this.#deps.context.signal.aborted) socket.stopReading();
    void socket.closed.then(() => this.#forget(socket));
    // The announced end leaves the old socket a few seconds: what it still receives is kept.
    void previous?.close();
    const { context, name, sockets } = this.#deps;
    const facts = { link: name, connections };
    context.log.info(facts, "a link to Slack is open");
    // While links are renewed each counts twice.
    const isShared = connections !== undefined && connections > sockets * 2;
    this.#report("open", isShared ? `${connections} connections share the app token` : undefined);
  }

  #forget(socket: SlackSocket): void {
    this.#sockets.delete(socket);
    if (this.#current !== socket || this.#deps.context.signal.aborted) return;
    this.#current = undefined;
    this.#report("connecting", "the connection was lost");
  }

  /** Says once why the link cannot be opened. Returns how long to wait. */
  #complain(error: unknown): number {
    const { timings, random, context, name } = this.#deps;
    const problem = error instanceof ConnectorError ? error : undefined;
    const detail = problem?.message ?? "an unexpected failure";
    const needsPerson = problem !== undefined && FATAL.has(problem.kind);
    const spread = 0.5 + random() / 2;
    const askedMs = Math.min(problem?.retryAfterMs ?? 0, timings.retryAfterMaxMs);
    const delayMs = needsPerson
      ? Math.round(timings.backoffFatalMs * spread)
      : Math.max(askedMs, backoffMs(this.#failures, timings, random));
    const facts = { link: name, detail, retryInMs: delayMs };
    if (this.#lastComplaint === detail) context.log.debug(facts, NOT_OPENED);
    else if (needsPerson) context.log.error(facts, NOT_OPENED);
    else context.log.warn(facts, NOT_OPENED);
    this.#lastComplaint = detail;
    this.#report(this.#current?.isOpen ? "open" : "closed", detail);
    return delayMs;
  }

  #report(state: "connecting" | "open" | "closed", detail?: string): void {
    const key = `${state}:${detail ?? ""}`;
    if (key === this.#lastReport) return;
    this.#lastReport = key;
    this.#deps.context.report({ name: this.#deps.name, state, ...(detail && { detail }) });
  }
}

const NOT_OPENED = "a link to Slack could not be opened";

/** Waiting does not heal these; a slow retry finds out when a person did. */
const FATAL: ReadonlySet<string> = new Set(["unauthorized", "missing_permission", "rejected"]);
