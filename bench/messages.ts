// Ingest and whole journeys, ours beside a minimal Bolt app that stores nothing, in one run.
//   node bench/messages.ts [--events 10000] [--mentions 2000]
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { openDatabase } from "#database";
import { createLog, createScrubber } from "#platform";
import { startChild, type Child } from "./child.ts";
import type { LoadOrder, LoadResult } from "./slack-load.ts";

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "10000" },
    mentions: { type: "string", default: "2000" },
    only: { type: "string", default: "" },
  },
});
const EVENTS = Number(values.events);
const MENTIONS = Number(values.mentions);

interface Usage {
  readonly kind: string;
  readonly cpuMs: number;
  readonly rssMb: number;
}

interface Figures {
  readonly [name: string]: LoadResult & { readonly cpuUsPerEvent: number };
}

const ORDERS: Readonly<Record<string, LoadOrder>> = {
  "ingest, 32 outstanding": { kind: "message", events: EVENTS, window: 32, perSecond: 0 },
  "ingest, 256 outstanding": { kind: "message", events: EVENTS, window: 256, perSecond: 0 },
  "ingest at 300/s": { kind: "message", events: 1_500, window: 0, perSecond: 300 },
  "journey, 64 outstanding": { kind: "mention", events: MENTIONS, window: 64, perSecond: 0 },
  "journey at 50/s": { kind: "mention", events: 500, window: 0, perSecond: 50 },
};

async function measure(
  name: string,
  start: (apiUrl: string) => Child,
  sockets: number,
): Promise<Figures & { readonly [key: string]: never }> {
  await using load = startChild("slack-load.ts");
  const { port } = await load.next<{ kind: string; port: number }>("listening");
  const begunAt = performance.now();
  await using service = start(`http://127.0.0.1:${port}/api/`);
  await service.next("ready");
  const coldMs = performance.now() - begunAt;
  for (let count = 0; count < sockets; count += 1) await load.next("connected");
  const idle = await usageOf(service);
  const figures: Record<string, LoadResult & { cpuUsPerEvent: number }> = {};
  await run(load, { kind: "message", events: 2_000, window: 32, perSecond: 0 });
  for (const [what, order] of Object.entries(ORDERS)) {
    if (!what.includes(values.only)) continue;
    await settled();
    const before = await usageOf(service);
    const result = await run(load, order);
    // What was acknowledged is still to be understood: that work belongs to the event.
    const begunDraining = performance.now();
    await settled();
    const drainMs = performance.now() - begunDraining;
    if (drainMs > 1_000)
      write(`  ${name}, ${what}: ${drainMs.toFixed(0)} ms more until all was handled\n`);
    const after = await usageOf(service);
    figures[what] = {
      ...result,
      cpuUsPerEvent: ((after.cpuMs - before.cpuMs) * 1000) / order.events,
    };
  }
  const loaded = await usageOf(service);
  write(
    `${name}: ready after ${coldMs.toFixed(0)} ms, ${idle.rssMb.toFixed(0)} MB idle, ${loaded.rssMb.toFixed(0)} MB loaded\n`,
  );
  return figures as never;
}

async function run(load: Child, order: LoadOrder): Promise<LoadResult> {
  load.send(order);
  const { result } = await load.next<{ kind: string; result: LoadResult }>("done");
  return result;
}

async function usageOf(service: Child): Promise<Usage> {
  service.send({});
  return service.next<Usage>("usage");
}

async function settled(): Promise<void> {
  for (;;) {
    const open = await database.db
      .selectFrom("inbox")
      .select("id")
      .where("state", "=", "stored")
      .limit(1)
      .execute();
    const posts = await database.db
      .selectFrom("posts")
      .select("id")
      .where("state", "<>", "posted")
      .limit(1)
      .execute();
    if (open.length + posts.length === 0) return;
    await setTimeout(50);
  }
}

function write(text: string): void {
  process.stdout.write(text);
}

const home = mkdtempSync(join(tmpdir(), "infragpt-bench-"));
const log = createLog({ level: "error", format: "json", scrubber: createScrubber() });
const database = await openDatabase({
  connection: { kind: "embedded", directory: home, attach: false, poolSize: 2 },
  log,
  signal: AbortSignal.timeout(60_000),
  waitMs: 30_000,
});
try {
  await using agent = startChild("instant-agent.ts");
  const { endpoint } = await agent.next<{ kind: string; endpoint: string }>("ready");
  const { host, port, user, password, database: name } = database.connection;
  const ours = await measure(
    "ours",
    (apiUrl) =>
      startChild(
        "our-service.ts",
        JSON.stringify({
          databaseUrl: `postgres://${user}:${password}@${host}:${port}/${name}`,
          home,
          slack: { apiUrl, appToken: "xapp-bench", botToken: "xoxb-bench" },
          agents: [{ name: "instant", endpoint }],
        }),
      ),
    2,
  );
  const bolt = await measure("bolt", (apiUrl) => startChild("bolt-app.ts", apiUrl), 1);
  write(
    "\n| | ours/s | bolt/s | ratio | ours p50 / p99 ms | bolt p50 / p99 ms | ours / bolt CPU µs |\n|---|---|---|---|---|---|---|\n",
  );
  for (const what of Object.keys(ORDERS).filter((order) => order.includes(values.only))) {
    const a = ours[what] as unknown as Figures[string];
    const b = bolt[what] as unknown as Figures[string];
    write(
      `| ${what} | ${a.perSecond.toFixed(0)} | ${b.perSecond.toFixed(0)} | ${(a.perSecond / b.perSecond).toFixed(2)} | ${a.p50Ms.toFixed(1)} / ${a.p99Ms.toFixed(1)} | ${b.p50Ms.toFixed(1)} / ${b.p99Ms.toFixed(1)} | ${a.cpuUsPerEvent.toFixed(0)} / ${b.cpuUsPerEvent.toFixed(0)} |\n`,
    );
  }
} finally {
  await database.close();
  rmSync(home, { recursive: true, force: true });
}
