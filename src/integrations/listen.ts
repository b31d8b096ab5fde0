import type { Connector, LinkState, Secret } from "@infragpt/connector-kit";
import { withSystem, type Database } from "#database";
import type { Log, Services } from "#platform";
import type { Connections } from "./connections.ts";
import { findLastReceivedAt } from "./deliveries/store.ts";
import type { Inbox } from "./inbox.ts";

interface ListenDeps {
  readonly db: Database;
  readonly inbox: Inbox;
  readonly log: Log;
  readonly services: Services;
  readonly connections: Connections;
  readonly connectors: ReadonlyMap<string, Connector>;
}

/** Who owns the accounts that are connected from configuration. */
export interface ConfiguredAccounts {
  readonly organizationId: string;
  /** By connector id, then by credential type. */
  readonly credentials: Readonly<Record<string, Readonly<Record<string, Secret>>>>;
}

/** How the links to the vendors are doing, by connector id. */
export type LinkStates = ReadonlyMap<string, ReadonlyMap<string, LinkState>>;

/**
 * Adds the long-lived tasks of the connectors: an account given by configuration is connected first,
 * so that its deliveries find their owner, then the connector listens.
 */
export function addListeners(
  deps: ListenDeps,
  configured: ConfiguredAccounts,
  links: Map<string, Map<string, LinkState>>,
): void {
  for (const connector of deps.connectors.values()) {
    const credentials = configured.credentials[connector.id];
    if (!connector.listen && !credentials) continue;
    const ofConnector = new Map<string, LinkState>();
    links.set(connector.id, ofConnector);
    let isConnected = credentials === undefined;
    deps.services.add(`listen:${connector.id}`, async ({ signal }) => {
      if (credentials && !isConnected) {
        const { organizationId } = configured;
        await deps.connections.connect(
          { organizationId, connectorId: connector.id, credentials },
          { signal },
        );
        isConnected = true;
      }
      if (!connector.listen) return untilAborted(signal);
      const lastDeliveredAt = await findLastDeliveredAt(deps.db, connector.id);
      return connector.listen({
        signal,
        ...(lastDeliveredAt && { lastDeliveredAt }),
        log: deps.log,
        deliver: (delivery) => deps.inbox.store(connector.id, delivery),
        report: (link) => ofConnector.set(link.name, link),
      });
    });
  }
}

function findLastDeliveredAt(db: Database, connectorId: string): Promise<Date | undefined> {
  return withSystem(db, "see when a connector last delivered", (tx) =>
    findLastReceivedAt(tx, connectorId),
  );
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) =>
    signal.addEventListener("abort", () => resolve(), { once: true }),
  );
}
