import type { Connection, Connector, Webhook } from "@infragpt/connector-kit";
import type { Refusals } from "#audit";
import { withSystem, type Database } from "#database";
import { AppError, isUuid, type Log, type RawRequest, type RawRoute } from "#platform";
import { findLiveIntegration } from "./connected/store.ts";
import type { Connections } from "./connections.ts";
import type { Inbox } from "./inbox.ts";

interface WebhookDeps {
  readonly db: Database;
  readonly refusals: Refusals;
  readonly connections: Pick<Connections, "open">;
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
      const found = webhook.isPerIntegration
        ? await findConnection(deps, connectorId, request)
        : undefined;
      const outcome = await webhook.receive({
        ...(found && { connection: found.connection }),
        path: request.path,
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
          await deps.refusals.record({
            action: "webhook.refused",
            organizationId: found?.organizationId,
            details: { connector: connectorId, path: webhook.path, reason: outcome.reason },
          });
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

/** The integration that the address names. Throws not_found, the same for a foreign connector's and a missing one. */
async function findConnection(
  deps: WebhookDeps,
  connectorId: string,
  { params, signal }: RawRequest,
): Promise<{ readonly connection: Connection; readonly organizationId: string }> {
  const id = params["id"] ?? "";
  const found = isUuid(id)
    ? await withSystem(deps.db, "find the integration that a webhook's address names", (tx) =>
        findLiveIntegration(tx, id),
      )
    : undefined;
  if (found?.connectorId !== connectorId) {
    throw new AppError("not_found", "There is nothing at this address.");
  }
  const { organizationId } = found;
  const { connection } = await deps.connections.open(organizationId, id, { signal });
  return { connection, organizationId };
}
