import type { Connector, Delivery, InboundEvent } from "@infragpt/connector-kit";
import { AppError, type Abortable, type Clock, type Log } from "#platform";
import type { Connections } from "./connections.ts";
import type { DeliveryBatches } from "./deliveries/batches.ts";
import type { IntegrationListeners } from "./events.ts";
import type { Integration, StoredDelivery } from "./model.ts";

interface HandleDeps {
  readonly deliveries: DeliveryBatches;
  readonly log: Log;
  readonly clock: Clock;
  readonly connectors: ReadonlyMap<string, Connector>;
  readonly connections: Connections;
  readonly listeners: () => IntegrationListeners;
  /** Lists an account's resources again, soon. */
  readonly resync: (integration: Integration) => Promise<void>;
}

/** Understands one stored delivery and tells the rooms above. May run twice. */
export async function handleDelivery(
  deps: HandleDeps,
  { inboxId, isLastAttempt }: { readonly inboxId: string; readonly isLastAttempt: boolean },
  options: Abortable,
): Promise<void> {
  const found = await deps.deliveries.find(inboxId);
  if (!found || found.stored.state === "handled" || found.stored.state === "ignored") return;
  const { stored, integration } = found;
  if (!integration) return closeUnowned(deps, stored, isLastAttempt);
  const connector = deps.connectors.get(stored.connectorId);
  if (!connector?.parse) {
    throw new AppError(
      "unavailable",
      `No connector "${stored.connectorId}" is running to read this delivery.`,
    );
  }
  const reasons: string[] = [];
  let isHandled = false;
  for (const event of connector.parse(toDelivery(stored), integration.profile)) {
    const reason = await announce(deps, integration, event, options);
    if (reason === undefined) isHandled = true;
    else reasons.push(reason);
  }
  await deps.deliveries.mark(inboxId, {
    state: isHandled ? "handled" : "ignored",
    detail: reasons.join("; "),
    organizationId: integration.organizationId,
    at: deps.clock.now(),
  });
}

/**
 * Of an account whose connection has ended and was not made again by the last attempt: what it still
 * sends is nobody's any more. Throws for one that nobody has connected.
 */
async function closeUnowned(
  { deliveries, clock }: HandleDeps,
  stored: StoredDelivery,
  isLastAttempt: boolean,
): Promise<void> {
  if (isLastAttempt && (await deliveries.hasEnded(stored))) {
    const detail = "the connection has ended";
    return deliveries.mark(stored.id, { state: "ignored", detail, at: clock.now() });
  }
  // The account may be connected in a moment, so this is tried again before it is parked.
  throw new AppError(
    "not_found",
    `No organization has connected the ${stored.connectorId} account ${stored.accountId}: connect it, then replay this job.`,
  );
}

/** Returns why an event was ignored, or undefined when it was handled. */
async function announce(
  deps: HandleDeps,
  integration: Integration,
  event: InboundEvent,
  options: Abortable,
): Promise<string | undefined> {
  switch (event.kind) {
    case "message": {
      const outcome = await deps
        .listeners()
        .messageReceived({ integration, message: event.message }, options);
      return outcome === "handled" ? undefined : "not for the bot";
    }
    case "command":
      await deps.listeners().commandReceived({ integration, command: event.command }, options);
      return undefined;
    case "action": {
      const { action } = event;
      const outcome = await deps.listeners().actionReceived?.({ integration, action }, options);
      return outcome === "handled" ? undefined : "nobody waits for this action";
    }
    case "signal": {
      const { signal } = event;
      const outcome = await deps.listeners().signalReceived?.({ integration, signal }, options);
      return outcome === "handled" ? undefined : "nobody waits for this signal";
    }
    case "disconnected":
      await deps.connections.end(integration, event.reason);
      return undefined;
    case "suspended":
    case "resumed":
      await deps.connections.suspend(integration, event);
      return undefined;
    case "resources_changed":
      await deps.resync(integration);
      return undefined;
    case "ignored":
      return event.reason;
  }
}

function toDelivery(stored: StoredDelivery): Delivery {
  const { deliveryId, accountId, messageKey, orderKey, kind, body } = stored;
  return { deliveryId, accountId, orderKey, kind, body, ...(messageKey ? { messageKey } : {}) };
}
