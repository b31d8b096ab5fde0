// The Slack of a measurement: as little as both services need, in a process of its own, so that its
// cost is the same for both. The richer fake of the tests would be most of what is measured.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer, type WebSocket } from "ws";
import { startRun, type LoadOrder, type LoadRun } from "./load-run.ts";

export interface SlackOrder extends LoadOrder {
  /** `message`: nobody is addressed, so it is only taken in. `mention`: it is answered. */
  readonly kind: "message" | "mention";
}

const TEAM = "T0BENCH";
const BOT = "U0BOT";
const sockets: WebSocket[] = [];
let order: SlackOrder | undefined;
let under: LoadRun | undefined;
let runNumber = 0;
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
process.on("message", (message: SlackOrder) => void begin(message));
process.on("disconnect", () => process.exit());

async function begin(wanted: SlackOrder): Promise<void> {
  order = wanted;
  runNumber += 1;
  under = startRun(wanted, (event) => send(wanted, event));
  process.send?.({ kind: "done", result: await under.result });
}

function send({ kind }: SlackOrder, number: number): void {
  const id = `${runNumber}-${number}`;
  const ts = `17${String(runNumber).padStart(8, "0")}.${String(number + 1).padStart(6, "0")}`;
  const isMention = kind === "mention";
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
  sockets[next++ % sockets.length]?.send(JSON.stringify(envelope));
}

function onAck(text: string): void {
  if (order?.kind === "message") end(JSON.parse(text).envelope_id);
}

function end(id: string): void {
  const [ofRun, number] = id.split("-");
  if (Number(ofRun) === runNumber) under?.end(Number(number));
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
