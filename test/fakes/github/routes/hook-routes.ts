import { type Call, type Route, appRoute, numberParameter, query } from "../call.ts";
import type { Delivery } from "../deliveries.ts";
import { isObject } from "../json.ts";
import type { JsonObject } from "../model.ts";
import { link, pageSize } from "../pages.ts";
import { notFound } from "../refusal.ts";

const CURSOR_PREFIX = "v1_";

/** The webhook of the App and the log of what it sent. */
export const HOOK_ROUTES: readonly Route[] = [
  appRoute("GET /app/hook/config", ({ core }) => ({
    status: 200,
    body: {
      content_type: "json",
      insecure_ssl: "0",
      secret: "********",
      url: core.deliveries.receiver ?? "",
    },
  })),
  appRoute("GET /app/hook/deliveries", (call) => {
    const before = readCursor(query(call, "cursor"));
    const rest = call.core.deliveries.list().filter(({ id }) => id < before);
    const shown = rest.slice(0, pageSize(call));
    const last = shown.at(-1);
    const hasMore = last !== undefined && shown.length < rest.length;
    const next = hasMore ? [link(call, "next", { cursor: `${CURSOR_PREFIX}${last.id}` })] : [];
    return {
      status: 200,
      body: shown.map(wireDelivery),
      headers: hasMore ? { link: next.join(", ") } : {},
    };
  }),
  appRoute("GET /app/hook/deliveries/{delivery_id}", (call) => {
    const delivery = findDelivery(call);
    const { url, requestHeaders, payload, outcome } = delivery;
    return {
      status: 200,
      body: {
        ...wireDelivery(delivery),
        url,
        request: { headers: requestHeaders, payload },
        response: { headers: outcome.headers, payload: outcome.body },
      },
    };
  }),
  appRoute(
    "POST /app/hook/deliveries/{delivery_id}/attempts",
    (call) => {
      void call.core.deliveries.sendAgain(findDelivery(call));
      return { status: 202, body: {} };
    },
    { isChange: true },
  ),
];

function readCursor(cursor: string | undefined): number {
  if (cursor === undefined) return Number.POSITIVE_INFINITY;
  return Number(cursor.replace(CURSOR_PREFIX, ""));
}

function findDelivery(call: Call): Delivery {
  const id = numberParameter(call, "delivery_id");
  const delivery = call.core.deliveries.list().find((each) => each.id === id);
  if (!delivery) throw notFound();
  return delivery;
}

function wireDelivery(delivery: Delivery): JsonObject {
  const { id, guid, payload, outcome, event } = delivery;
  return {
    id,
    guid,
    delivered_at: new Date(delivery.atMs).toISOString(),
    redelivery: delivery.isRedelivery,
    duration: delivery.durationSeconds,
    status: outcome.status,
    status_code: outcome.statusCode,
    event,
    action: typeof payload["action"] === "string" ? payload["action"] : null,
    installation_id: idIn(payload["installation"]),
    repository_id: idIn(payload["repository"]),
    throttled_at: null,
  };
}

function idIn(value: unknown): unknown {
  return isObject(value) ? (value["id"] ?? null) : null;
}
