import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";

import type { Change, WaitOptions } from "../../support/until.ts";
import type { JsonObject } from "./model.ts";

interface HubOptions {
  readonly change: Change;
  readonly appId: string;
  readonly connectionsMax: number;
  readonly pingIntervalMs: number;
  readonly disconnectGraceMs: number;
}

/** One open socket of the app. */
export interface Socket {
  /** Counted from 1. */
  readonly number: number;
  /** Called once when it closes. Callbacks and not a promise: races against a long-lived promise are never freed. */
  readonly onClosed: Set<() => void>;
  /** Nothing leaves a frozen socket. */
  send(frame: string | Buffer): void;
}

interface Link extends Socket {
  readonly ws: WebSocket;
  isFrozen: boolean;
  /** Was told to go: nothing new is sent to it. */
  isLeaving: boolean;
}

interface Refusing {
  readonly how: string | number | { readonly upgradeStatus: number };
  timesLeft: number;
}

/** Slack's end of Socket Mode: tickets, sockets, pings and farewells. */
export class SocketHub {
  onText: (text: string) => void = () => undefined;
  readonly #options: HubOptions;
  readonly #server = new WebSocketServer({ noServer: true });
  readonly #links = new Set<Link>();
  readonly #tickets = new Set<string>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #waiting = new Set<(socket: Socket | undefined) => void>();
  #isClosed = false;
  #count = 0;
  #turn = 0;
  #refusing: Refusing | undefined;

  constructor(options: HubOptions) {
    this.#options = options;
    this.#every(options.pingIntervalMs, () => {
      for (const { ws, isFrozen } of this.#links) if (!isFrozen) ws.ping(`Ping from ${HOST}`);
    });
  }

  get live(): readonly Link[] {
    return [...this.#links].filter((link) => !link.isFrozen);
  }

  refuse(how: Refusing["how"], times: number): void {
    this.#refusing = times > 0 ? { how, timesLeft: times } : undefined;
  }

  /** Answers apps.connections.open. */
  makeTicket(origin: string): JsonObject | number {
    const { how } = this.#refusing ?? {};
    if (typeof how === "string" || typeof how === "number") {
      this.#countRefusal();
      return typeof how === "number" ? how : { ok: false, error: how };
    }
    const ticket = randomUUID();
    this.#tickets.add(ticket);
    return { ok: true, url: `${origin}/link/?ticket=${ticket}&app_id=${this.#options.appId}` };
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const url = new URL(request.url ?? "/", "ws://localhost");
    const { how } = this.#refusing ?? {};
    if (typeof how === "object") {
      this.#countRefusal();
      socket.end(`HTTP/1.1 ${how.upgradeStatus} Refused\r\nConnection: close\r\n\r\n`);
      return;
    }
    // A ticket is good for one socket.
    if (!this.#tickets.delete(url.searchParams.get("ticket") ?? "")) {
      socket.end("HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n");
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (ws) => this.#welcome(ws));
  }

  /** The next socket in turn; a frozen one only where there is no other. */
  pick(): Socket | undefined {
    const open = [...this.#links].filter((link) => !link.isLeaving);
    const live = open.filter((link) => !link.isFrozen);
    const choice = live.length > 0 ? live : open;
    this.#turn += 1;
    return choice[this.#turn % choice.length];
  }

  /** Waits as long as it takes; undefined when the fake is closed. */
  waitForSocket(): Promise<Socket | undefined> {
    const found = Promise.withResolvers<Socket | undefined>();
    if (this.#isClosed) found.resolve(undefined);
    else this.#waiting.add(found.resolve);
    return found.promise;
  }

  waitForCount(count: number, options: WaitOptions): Promise<void> {
    return this.#options.change
      .until(
        `${count} open sockets`,
        () => this.live.length === count || undefined,
        () => `${this.live.length} are open, ${this.#links.size - this.live.length} frozen`,
        options,
      )
      .then(() => undefined);
  }

  sendToAll(frame: string | Buffer): void {
    for (const link of this.live) link.send(frame);
  }

  disconnectAll(reason: string): void {
    for (const link of this.live) this.#dismiss(link, reason);
  }

  freeze(): void {
    for (const link of this.#links) {
      link.isFrozen = true;
      link.ws.pause();
    }
    this.#options.change.notify();
  }

  drop(): void {
    for (const link of this.#links) {
      // A paused socket would never report its own end.
      if (link.isFrozen) this.#forget(link);
      link.ws.terminate();
    }
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#isClosed = true;
    for (const take of this.#waiting) take(undefined);
    this.drop();
    this.#server.close();
  }

  #welcome(ws: WebSocket): void {
    this.#count += 1;
    const link: Link = {
      number: this.#count,
      ws,
      isFrozen: false,
      isLeaving: false,
      onClosed: new Set(),
      send: (frame) => {
        if (!link.isFrozen) ws.send(frame);
      },
    };
    this.#links.add(link);
    // An error is always followed by a close.
    ws.on("error", () => undefined);
    ws.on("close", () => this.#forget(link));
    ws.on("message", (data, isBinary) => {
      if (!isBinary && Buffer.isBuffer(data)) this.onText(data.toString("utf8"));
    });
    if (this.live.length > this.#options.connectionsMax) {
      this.#dismiss(link, "too_many_websockets");
      return;
    }
    link.send(JSON.stringify(this.#hello()));
    for (const take of this.#waiting) take(this.pick() ?? link);
    this.#waiting.clear();
    this.#options.change.notify();
  }

  #forget(link: Link): void {
    this.#links.delete(link);
    for (const tell of link.onClosed) tell();
    this.#options.change.notify();
  }

  #hello(): object {
    return {
      type: "hello",
      num_connections: this.live.length,
      debug_info: { host: HOST, build_number: 1, approximate_connection_time: 18_060 },
      connection_info: { app_id: this.#options.appId },
    };
  }

  #dismiss(link: Link, reason: string): void {
    link.isLeaving = true;
    link.send(JSON.stringify({ type: "disconnect", reason, debug_info: { host: HOST } }));
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      link.ws.close(1000);
    }, this.#options.disconnectGraceMs);
    this.#timers.add(timer);
  }

  #countRefusal(): void {
    if (!this.#refusing) return;
    this.#refusing.timesLeft -= 1;
    if (this.#refusing.timesLeft <= 0) this.#refusing = undefined;
  }

  #every(ms: number, task: () => void): void {
    this.#timers.add(setInterval(task, ms));
  }
}

const HOST = "applink-fake-1";
