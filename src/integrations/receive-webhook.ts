import type { Connector, Webhook } from "@infragpt/connector-kit";
import type { Log, RawRoute } from "#platform";
import type { Inbox } from "./inbox.ts";

interface WebhookDeps {
  readonly inbox: Inbox;
  readonly log: Log;
  readonly connectors: ReadonlyMap<string, Connector>;
}

/** One route for each webhook of each connector: verify, store, then answer 2xx; not stored is 503, so that the vendor sends again. */
export function webhookRoutes(deps: WebhookDeps): readonly RawRoute[] {
  return [...deps.connectors.values()].flatMap((connector) =>
    (connector.webhooks ?? []).map((webhook) => webhookRoute(deps, connector.id, webhook)),
  );
}

function webhookRoute(deps: WebhookDeps, connectorId: string, webhook: Webhook): RawRoute {
  return {
    method: "POST",
    path: webhook.path,
    bodyBytesMax: webhook.bodyBytesMax,
    async handle(request) {
      const outcome = webhook.receive({
        path: webhook.path,
        headers: request.headers,
        body: request.body,
        receivedAt: request.receivedAt,
      });
      switch (outcome.kind) {
        case "refuse":
          deps.log.warn(
            { connectorId, path: webhook.path, reason: outcome.reason },
            "webhook refused",
          );
          return { status: outcome.status };
        case "reply":
          return outcome.reply;
        case "deliver":
          try {
            await deps.inbox.store(connectorId, outcome.delivery);
          } catch (error) {
            deps.log.error({ err: error, connectorId, path: webhook.path }, "webhook not stored");
            return { status: 503, headers: { "retry-after": "5" } };
          }
          return outcome.reply ?? { status: 200 };
      }
    },
  };
}
