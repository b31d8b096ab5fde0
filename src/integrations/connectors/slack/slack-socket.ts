import { type ConnectorLog, type Delivery, cutText } from "@infragpt/connector-kit";
import { WebSocket, type RawData } from "ws";
import { createDelivery } from "./deliveries.ts";
import { watchHeartbeat } from "./heartbeat.ts";
import { describeNotice, readFrame, type SocketFrame } from "./socket-frames.ts";
import type { SocketTimings } from "./socket-timings.ts";

interface SlackSocketDeps {
  readonly name: string;
  readonly log: ConnectorLog;
  readonly clock: { now(): Date };
  readonly timings: SocketTimings;
  deliver(delivery: Delivery): Promise<void>;
}

/** Why a socket no longer suffices: it closed, or Slack asks for a new one while this one works on. */
export interface SocketEnding {
  readonly kind: "closed" | "renew";
  readonly reason: string;
}

/** Slack's largest events stay below 1 MB; a larger frame ends the socket, not the process. */
const FRAME_BYTES_MAX = 4 * 1024 * 1024;
/** Beyond so many deliveries being stored, the socket is not read until half of them are. */
const IN_FLIGHT_MAX = 1_000;

/** One WebSocket of Socket Mode: stores what arrives, then acknowledges it. */
export class SlackSocket {
  readonly #deps: SlackSocketDeps;
  readonly #ws: WebSocket;
  readonly #hello = Promise.withResolvers<number | undefined>();
  readonly #ending = Promise.withResolvers<SocketEnding>();
  readonly #closed = Promise.withResolvers<void>();
  #idle = Promise.withResolvers<void>();
  #inFlight = 0;
  #isReading = true;
  #closeReason = "";

  constructor(deps: SlackSocketDeps, url: string) {
    this.#deps = deps;
    this.#idle.resolve();
    this.#ws = new WebSocket(url, {
      maxPayload: FRAME_BYTES_MAX,
      handshakeTimeout: deps.timings.helloTimeoutMs,
      perMessageDeflate: false,
    });
    const stopHeartbeat = watchHeartbeat(this.#ws, deps.timings, (reason) =>
      this.terminate(reason),
    );
    this.#ws.on("message", (data, isBinary) => this.#receive(data, isBinary));
    this.#ws.on("error", (error) => {
      this.#closeReason ||= cutText(error.message, 200);
    });
    this.#ws.on("close", (code) => {
      stopHeartbeat();
      const reason = this.#closeReason || `closed with code ${code}`;
      this.#isReading = false;
      this.#hello.reject(new Error(reason));
      this.#ending.resolve({ kind: "closed", reason });
      this.#closed.resolve();
    });
    // A socket that closes after its hello has nobody waiting there.
    this.#hello.promise.catch(() => {});
  }

  /** Resolves with the number of connections that share the app token. Rejects when it closes before. */
  get hello(): Promise<number | undefined> {
    return this.#hello.promise;
  }

  /** Resolves when a new socket is needed. */
  get ending(): Promise<SocketEnding> {
    return this.#ending.promise;
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  get isOpen(): boolean {
    return this.#ws.readyState === WebSocket.OPEN;
  }

  /** Drops the connection at once. */
  terminate(reason: string): void {
    this.#closeReason ||= reason;
    this.#ws.terminate();
  }

  /** Takes no more deliveries; those being stored are still acknowledged. */
  stopReading(): void {
    this.#isReading = false;
  }

  /** Waits, but not for ever, until everything received is stored and acknowledged, then closes. */
  async close(): Promise<void> {
    const { drainMs } = this.#deps.timings;
    // A busy link is never idle while it reads.
    if (this.#isReading) await withinMs(drainMs, this.#idle.promise);
    this.#isReading = false;
    await withinMs(drainMs, this.#idle.promise);
    this.#ws.close(1000);
    await withinMs(CLOSE_HANDSHAKE_MS, this.closed);
    this.#ws.terminate();
  }

  #receive(data: RawData, isBinary: boolean): void {
    // What is not read is not acknowledged, and Slack sends it again.
    if (!this.#isReading) return;
    const isText = !isBinary && Buffer.isBuffer(data);
    const frame: SocketFrame = isText
      ? readFrame(data.toString("utf8"))
      : { kind: "unreadable", reason: "binary" };
    const { log, name } = this.#deps;
    switch (frame.kind) {
      case "hello":
        this.#hello.resolve(frame.connections);
        return;
      case "disconnect":
        this.#prepareEnd(frame.reason);
        return;
      case "envelope":
        void this.#handle(frame);
        return;
      case "unreadable":
        log.warn({ link: name, reason: frame.reason }, "Slack sent a frame that is not understood");
    }
  }

  #prepareEnd(reason: string): void {
    const { log, name } = this.#deps;
    const facts = { link: name, reason };
    if (ROUTINE_REASONS.has(reason)) log.info(facts, "Slack asks for a new connection");
    else log.warn(facts, "Slack ends a connection");
    // Too many connections are refused before any hello.
    this.#hello.reject(new Error(reason));
    this.#ending.resolve({ kind: "renew", reason });
  }

  /** Never rejects. */
  async #handle(envelope: Extract<SocketFrame, { kind: "envelope" }>): Promise<void> {
    this.#begin();
    try {
      const delivery = this.#toDelivery(envelope);
      if (delivery !== undefined) await this.#store(delivery);
      this.#acknowledge(envelope.envelopeId);
    } catch (error) {
      const facts = { link: this.#deps.name, envelopeId: envelope.envelopeId, error };
      this.#deps.log.warn(facts, "a delivery was not stored; Slack sends it again");
    } finally {
      this.#end();
    }
  }

  async #store(delivery: Delivery): Promise<void> {
    const { storeTimeoutMs } = this.#deps.timings;
    const isStored = await withinMs(storeTimeoutMs, this.#deps.deliver(delivery));
    if (!isStored) throw new Error(`storing took longer than ${storeTimeoutMs} ms`);
  }

  /** Undefined for an envelope with nothing to store: it is acknowledged, as a repeat would tell no more. */
  #toDelivery(envelope: Extract<SocketFrame, { kind: "envelope" }>): Delivery | undefined {
    const { log, name, clock } = this.#deps;
    const { payload, payloadKind, type } = envelope;
    const delivery = payload && payloadKind && createDelivery(payloadKind, payload, clock.now());
    if (delivery !== undefined) {
      const { retryAttempt } = envelope;
      if (retryAttempt > 0) log.debug({ link: name, retryAttempt }, "Slack repeats a delivery");
      return delivery;
    }
    const notice = payload && describeNotice(payload);
    if (notice) log.warn({ link: name }, notice);
    else log.debug({ link: name, type }, "an envelope of Slack carries nothing to store");
    return undefined;
  }

  #acknowledge(envelopeId: string): void {
    // The store knows the delivery when Slack repeats it on another socket.
    if (!this.isOpen) return;
    this.#ws.send(JSON.stringify({ envelope_id: envelopeId }), (error) => {
      if (error) this.#deps.log.debug({ link: this.#deps.name }, "an acknowledgement was not sent");
    });
  }

  #begin(): void {
    if (this.#inFlight === 0) this.#idle = Promise.withResolvers();
    this.#inFlight += 1;
    if (this.#inFlight >= IN_FLIGHT_MAX) this.#ws.pause();
  }

  #end(): void {
    this.#inFlight -= 1;
    if (this.#inFlight === 0) this.#idle.resolve();
    if (this.#ws.isPaused && this.#inFlight <= IN_FLIGHT_MAX / 2) this.#ws.resume();
  }
}

/** Slack renews each connection every few hours. */
const ROUTINE_REASONS: ReadonlySet<string> = new Set(["warning", "refresh_requested"]);

const CLOSE_HANDSHAKE_MS = 1_000;

/** Whether the wait ended in time. Rejects when it does. */
async function withinMs(limitMs: number, wait: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, limitMs, false);
  });
  try {
    return await Promise.race([wait.then(() => true), limit]);
  } finally {
    clearTimeout(timer);
  }
}
