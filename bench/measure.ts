import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { sql } from "kysely";
import { openDatabase, type Database } from "#database";
import { createLog, createScrubber } from "#platform";
import type { Child } from "./child.ts";
import type { LoadOrder, LoadResult } from "./load-run.ts";
import type { Usage } from "./usage.ts";

/** The figures of one order. */
export interface Figure extends LoadResult {
  readonly cpuUs: number;
}

export interface BenchDatabase extends AsyncDisposable {
  readonly db: Database;
  /** For another process. */
  readonly url: string;
  /** A directory that is removed at the end. */
  readonly home: string;
}

/** A real PostgreSQL with its own settings: fsync and all. */
export async function openBenchDatabase(): Promise<BenchDatabase> {
  const home = mkdtempSync(join(tmpdir(), "infragpt-bench-"));
  const opened = await openDatabase({
    connection: { kind: "embedded", directory: home, attach: false, poolSize: 3 },
    log: createLog({ level: "error", format: "json", scrubber: createScrubber() }),
    signal: AbortSignal.timeout(60_000),
    waitMs: 30_000,
  });
  const { host, port, user, password, database } = opened.connection;
  return {
    db: opened.db,
    url: `postgres://${user}:${password}@${host}:${port}/${database}`,
    home,
    async [Symbol.asyncDispose]() {
      await opened.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

export async function usageOf(service: Child): Promise<Usage> {
  service.send({});
  return service.next<Usage>("usage");
}

export async function run(load: Child, order: LoadOrder): Promise<LoadResult> {
  load.send(order);
  const { result } = await load.next<{ kind: string; result: LoadResult }>("done");
  return result;
}

/** Runs each order by its name, and counts in what the service still does about it afterwards. */
export async function measureOrders<Order extends LoadOrder>(
  name: string,
  { load, service }: { readonly load: Child; readonly service: Child },
  orders: Readonly<Record<string, Order>>,
  settled: () => Promise<void>,
): Promise<ReadonlyMap<string, Figure>> {
  const figures = new Map<string, Figure>();
  for (const [what, order] of Object.entries(orders)) {
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
    figures.set(what, {
      ...result,
      cpuUs: ((after.cpuMs - before.cpuMs) * 1000) / order.events,
    });
  }
  return figures;
}

/** Waits until every stored delivery is understood and every post is posted. */
export async function untilHandled(db: Database): Promise<void> {
  for (;;) {
    const { rows } = await sql`
      (select id from inbox where state = 'stored' limit 1)
      union all (select id from posts where state <> 'posted' limit 1)`.execute(db);
    if (rows.length === 0) return;
    await setTimeout(50);
  }
}

/** A Markdown table of both, one line for each order. */
export function comparison(
  peerName: string,
  ours: ReadonlyMap<string, Figure>,
  peers: ReadonlyMap<string, Figure>,
): string {
  const head = `| | ours/s | ${peerName}/s | ratio | ours p50 / p99 ms | ${peerName} p50 / p99 ms | ours / ${peerName} CPU µs |\n|---|---|---|---|---|---|---|\n`;
  const lines = [...ours].map(([what, our]) => {
    const peer = peers.get(what);
    if (!peer) throw new Error(`The peer has no figures of "${what}".`);
    return `| ${what} | ${our.perSecond.toFixed(0)} | ${peer.perSecond.toFixed(0)} | ${(our.perSecond / peer.perSecond).toFixed(2)} | ${timesOf(our)} | ${timesOf(peer)} | ${our.cpuUs.toFixed(0)} / ${peer.cpuUs.toFixed(0)} |\n`;
  });
  return `\n${head}${lines.join("")}`;
}

function timesOf({ p50Ms, p99Ms }: Figure): string {
  return `${p50Ms.toFixed(1)} / ${p99Ms.toFixed(1)}`;
}

export function write(text: string): void {
  process.stdout.write(text);
}
