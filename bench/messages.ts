// Ingest and whole journeys, ours beside a minimal Bolt app that stores nothing, in one run.
//   node bench/messages.ts [--events 10000] [--mentions 2000] [--only "ingest"]
import { parseArgs } from "node:util";
import { startChild, type Child } from "./child.ts";
import {
  comparison,
  measureOrders,
  openBenchDatabase,
  run,
  untilHandled,
  usageOf,
  write,
  type Figure,
} from "./measure.ts";
import type { SlackOrder } from "./slack-load.ts";

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "10000" },
    mentions: { type: "string", default: "2000" },
    only: { type: "string", default: "" },
  },
});
const EVENTS = Number(values.events);
const MENTIONS = Number(values.mentions);

const ORDERS: Readonly<Record<string, SlackOrder>> = {
  "ingest, 32 outstanding": { kind: "message", events: EVENTS, window: 32, perSecond: 0 },
  "ingest, 256 outstanding": { kind: "message", events: EVENTS, window: 256, perSecond: 0 },
  "ingest at 300/s": { kind: "message", events: 1_500, window: 0, perSecond: 300 },
  "journey, 64 outstanding": { kind: "mention", events: MENTIONS, window: 64, perSecond: 0 },
  "journey at 50/s": { kind: "mention", events: 500, window: 0, perSecond: 50 },
};
const WARM_UP: SlackOrder = { kind: "message", events: 2_000, window: 32, perSecond: 0 };

async function measure(
  name: string,
  start: (apiUrl: string) => Child,
  sockets: number,
): Promise<ReadonlyMap<string, Figure>> {
  await using load = startChild("slack-load.ts");
  const { port } = await load.next<{ kind: string; port: number }>("listening");
  const begunAt = performance.now();
  await using service = start(`http://127.0.0.1:${port}/api/`);
  await service.next("ready");
  const coldMs = performance.now() - begunAt;
  for (let count = 0; count < sockets; count += 1) await load.next("connected");
  const idle = await usageOf(service);
  await run(load, WARM_UP);
  const orders = Object.entries(ORDERS).filter(([what]) => what.includes(values.only));
  const figures = await measureOrders(name, { load, service }, Object.fromEntries(orders), () =>
    untilHandled(database.db),
  );
  const loaded = await usageOf(service);
  write(
    `${name}: ready after ${coldMs.toFixed(0)} ms, ${idle.rssMb.toFixed(0)} MB idle, ${loaded.rssMb.toFixed(0)} MB loaded\n`,
  );
  return figures;
}

await using database = await openBenchDatabase();
await using agent = startChild("instant-agent.ts");
const { endpoint } = await agent.next<{ kind: string; endpoint: string }>("ready");
const ours = await measure(
  "ours",
  (apiUrl) =>
    startChild(
      "our-service.ts",
      JSON.stringify({
        databaseUrl: database.url,
        home: database.home,
        slack: { apiUrl, appToken: "xapp-bench", botToken: "xoxb-bench" },
        agents: [{ name: "instant", endpoint }],
      }),
    ),
  2,
);
const bolt = await measure("bolt", (apiUrl) => startChild("bolt-app.ts", apiUrl), 1);
write(comparison("bolt", ours, bolt));
