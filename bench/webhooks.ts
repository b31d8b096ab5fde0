// GitHub webhooks with a checked signature, ours beside a minimal app on @octokit/webhooks that stores
// nothing, in one run.
//   node bench/webhooks.ts [--events 10000] [--only "500/s"]
import { parseArgs } from "node:util";
import { sql } from "kysely";
import type { ServiceSpec } from "../test/support/service-config.ts";
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
import type { WebhookOrder, WebhookTarget } from "./webhook-load.ts";

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "10000" },
    only: { type: "string", default: "" },
  },
});
const EVENTS = Number(values.events);

type GitHub = NonNullable<ServiceSpec["github"]>;
type Order = WebhookOrder & { readonly kind: "order" };

const ORDERS: Readonly<Record<string, Order>> = {
  "32 outstanding": anOrder({ events: EVENTS, window: 32 }),
  "256 outstanding": anOrder({ events: EVENTS, window: 256 }),
  "at 500/s": anOrder({ events: 5_000, perSecond: 500 }),
  "32 outstanding, one repository": anOrder({ events: EVENTS, window: 32, repositories: 1 }),
};
const WARM_UP = anOrder({ events: 3_000, window: 32 });

function anOrder(order: Partial<WebhookOrder> & { readonly events: number }): Order {
  return { kind: "order", window: 0, perSecond: 0, repositories: 50, ...order };
}

async function measure(
  name: string,
  start: (github: GitHub) => Child,
): Promise<ReadonlyMap<string, Figure>> {
  await using load = startChild("webhook-load.ts");
  const { github } = await load.next<{ kind: string; github: GitHub }>("listening");
  await using service = start(github);
  const target = await service.next<WebhookTarget & { kind: string }>("ready");
  load.send({ ...target, kind: "target" });
  await load.next("connected");
  const idle = await usageOf(service);
  await run(load, WARM_UP);
  const orders = Object.entries(ORDERS).filter(([what]) => what.includes(values.only));
  const figures = await measureOrders(name, { load, service }, Object.fromEntries(orders), () =>
    untilHandled(database.db),
  );
  const loaded = await usageOf(service);
  write(`${name}: ${idle.rssMb.toFixed(0)} MB idle, ${loaded.rssMb.toFixed(0)} MB loaded\n`);
  return figures;
}

/** Each delivery has an id of its own: as many rows as deliveries means none lost and none double. */
async function assertAllStored(measured: readonly string[]): Promise<void> {
  const sent = measured.reduce((sum, what) => sum + (ORDERS[what]?.events ?? 0), WARM_UP.events);
  const { rows } = await sql<{ state: string; rows: number; deliveries: number }>`
    select state, count(*)::int as rows, count(distinct delivery_id)::int as deliveries
    from inbox where kind = 'push' group by state`.execute(database.db);
  const [only] = rows;
  // Nobody waits for a push, so understood means ignored.
  if (
    rows.length !== 1 ||
    only?.state !== "ignored" ||
    only.rows !== sent ||
    only.deliveries !== sent
  )
    throw new Error(`${sent} deliveries were acknowledged, stored are ${JSON.stringify(rows)}.`);
  write(`All ${sent} acknowledged deliveries are stored once and understood.\n`);
}

await using database = await openBenchDatabase();
const ours = await measure("ours", (github) =>
  startChild(
    "our-service.ts",
    JSON.stringify({ databaseUrl: database.url, home: database.home, github }),
  ),
);
await assertAllStored([...ours.keys()]);
const octokit = await measure("octokit", ({ webhookSecrets: [secret = ""] }) =>
  startChild("octokit-app.ts", secret),
);
write(comparison("octokit", ours, octokit));
