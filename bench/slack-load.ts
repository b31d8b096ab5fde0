// The Slack of a measurement: as little as both services need, in a process of its own, so that its
// cost is the same for both. The richer fake of the tests would be most of what is measured.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer, type WebSocket } from "ws";

export interface LoadOrder {
  /** `message`: nobody is addressed, so it is only taken in. `mention`: it is answered. */
  readonly kind: "message" | "mention";
  readonly events: number;
  /** Events under way at once; 0 sends them at `perSecond` instead. */
  readonly window: number;
  readonly perSecond: number;
}

export interface LoadResult {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const TEAM = "T0BENCH";
const BOT = "U0BOT";
const sockets: WebSocket[] = [];
const startedAt = new Map<string, number>();
let order: LoadOrder | undefined;
let runNumber = 0;
let sent = 0;
let ended = 0;
let begunAt = 0;
let latenciesMs: number[] = [];
let next = 0;

const server = createServer((request, response) => void serve(request, response));
const sink = new WebSocketServer({ server });
sink.on("connection", (socket) => {
  sockets.push(socket);
  socket.on("close", () => sockets.splice(sockets.indexOf(socket), 1));
  socket.on("message", (data: Buffer) => onAck(data.toString()));
  socket.send(
    JSON.stringify({
      type: "hello",
      num_connections: sockets.length,
      connection_info: { app_id: "A0" },
    }),
  );
  process.send?.({ kind: "connected", sockets: sockets.length });
});
server.listen(0, "127.0.0.1", () => {
  process.send?.({ kind: "listening", port: (server.address() as AddressInfo).port });
});
setInterval(() => {
  for (const socket of sockets) socket.ping();
}, 5_000).unref();
process.on("message", (message: LoadOrder) => begin(message));
process.on("disconnect", () => process.exit());

function begin(wanted: LoadOrder): void {
  order = wanted;
  runNumber += 1;
  sent = 0;
  ended = 0;
  latenciesMs = [];
  startedAt.clear();
  begunAt = performance.now();
  if (wanted.window > 0) for (let index = 0; index < wanted.window; index += 1) sendOne();
  else pace(wanted);
}

function pace(wanted: LoadOrder): void {
  const timer = setInterval(() => {
    const due = ((performance.now() - begunAt) / 1000) * wanted.perSecond;
    while (sent < wanted.events && sent < due) sendOne();
    if (sent >= wanted.events) clearInterval(timer);
  }, 2);
}

function sendOne(): void {
  if (!order || sent >= order.events) return;
  const id = `${runNumber}-${sent}`;
  sent += 1;
  const ts = `17${String(runNumber).padStart(8, "0")}.${String(sent).padStart(6, "0")}`;
  const isMention = order.kind === "mention";
  const event = {
    type: isMention ? "app_mention" : "message",
    channel: "C0BENCH",
    channel_type: "channel",
    user: "U1",
    text: isMention ? `<@${BOT}> ${id}` : `just talking about ${id}`,
    ts,
    event_ts: ts,
    team: TEAM,
  };
  const envelope = {
    envelope_id: id,
    type: "events_api",
    accepts_response_payload: false,
    retry_attempt: 0,
    payload: {
      token: "t",
      team_id: TEAM,
      api_app_id: "A0",
      event,
      type: "event_callback",
      event_id: `Ev${id}`,
      event_time: 1,
      authorizations: [{ team_id: TEAM, user_id: BOT, is_bot: true, is_enterprise_install: false }],
    },
  };
  startedAt.set(id, performance.now());
  sockets[next++ % sockets.length]?.send(JSON.stringify(envelope));
}

function onAck(text: string): void {
  if (order?.kind === "message") end(JSON.parse(text).envelope_id);
}

function end(id: string): void {
  const since = startedAt.get(id);
  if (since === undefined || !order) return;
  startedAt.delete(id);
  latenciesMs.push(performance.now() - since);
  ended += 1;
  if (order.window > 0) sendOne();
  if (ended < order.events) return;
  latenciesMs.sort((a, b) => a - b);
  function at(share: number): number {
    return latenciesMs[Math.floor(latenciesMs.length * share)] ?? 0;
  }
  const seconds = (performance.now() - begunAt) / 1000;
  process.send?.({
    kind: "done",
    result: { perSecond: ended / seconds, p50Ms: at(0.5), p99Ms: at(0.99) },
  });
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString();
  const method = request.url?.split("/").at(-1) ?? "";
  response.setHeader("content-type", "application/json");
  response.setHeader("x-oauth-scopes", "chat:write,app_mentions:read,channels:history");
  response.end(JSON.stringify(answer(method, body)));
}

function answer(method: string, body: string): object {
  if (method === "apps.connections.open") {
    return { ok: true, url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/link` };
  }
  if (method === "chat.postMessage") {
    const id = /(\d+-\d+)/.exec(
      decodeURIComponent(body.replaceAll("+", " ")).match(/You said: [^"&]*/)?.[0] ?? "",
    )?.[1];
    if (id) end(id);
    return {
      ok: true,
      channel: "C0BENCH",
      ts: `18${String(Date.now()).slice(2, 10)}.${String(next++).padStart(6, "0")}`,
      message: {},
    };
  }
  return {
    ok: true,
    team: "Bench",
    team_id: TEAM,
    user: "bot",
    user_id: BOT,
    bot_id: "B0BOT",
    url: "https://bench.example/",
    messages: [],
  };
}
