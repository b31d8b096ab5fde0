import type { Connector, LinkState, Secret } from "@infragpt/connector-kit";
import { sqlExecutor, withSystem, type Database } from "#database";
import type {
  Abortable,
  Clock,
  Failpoint,
  Ids,
  Jobs,
  Keyring,
  Log,
  RawRoute,
  Services,
} from "#platform";
import { createConnections, type Connections } from "./connections.ts";
import { checkKeys } from "./credentials.ts";
import type { IntegrationListeners } from "./events.ts";
import { handleDelivery } from "./handle-delivery.ts";
import { createInbox, type Inbox } from "./inbox.ts";
import { addListeners, type ConfiguredAccounts, type LinkStates } from "./listen.ts";
import type { Integration } from "./model.ts";
import { webhookRoutes } from "./receive-webhook.ts";
import { insertNewDeliveries, listLiveIntegrations, markDelivery } from "./store.ts";

export { diagnose as diagnoseSlack } from "./connectors/slack/index.ts";
export { checkKeys, hasStoredCredentials } from "./credentials.ts";
export { builtinConnectors, type ConnectorSettings } from "./registry.ts";
export type { OpenConnection } from "./connections.ts";
export type { CommandReceived, IntegrationListeners, MessageReceived } from "./events.ts";
export type { ConfiguredAccounts, LinkStates } from "./listen.ts";
export type { Integration, IntegrationHealth } from "./model.ts";

export interface IntegrationsDeps {
  readonly db: Database;
  /** A small pool of its own, so that acknowledgements never wait for turns. */
  readonly ingestDb: Database;
  readonly jobs: Jobs;
  readonly keyring: Keyring;
  readonly services: Services;
  readonly log: Log;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly failpoint: Failpoint;
  readonly connectors: readonly Connector[];
  /** Deliveries understood at once in this replica. */
  readonly concurrencyMax: number;
}

export interface Integrations {
  readonly inbox: Inbox;
  readonly connections: Connections;
  readonly webhookRoutes: readonly RawRoute[];
  readonly links: LinkStates;
  /** Cuts Markdown into parts that the chat takes whole. */
  split(markdown: string): readonly string[];
  /** Begins to connect what is configured and to listen. */
  start(): void;
  /** The room above says once what happens with what arrives. */
  subscribe(listeners: IntegrationListeners): void;
  /** Refuses to go on when stored credentials need keys that are not here. */
  checkKeys(options: Abortable): Promise<void>;
  /** Connects an account for an organization: what an OAuth callback and the configuration both end in. */
  connect(
    input: {
      organizationId: string;
      connectorId: string;
      credentials: Readonly<Record<string, Secret>>;
    },
    options: Abortable,
  ): Promise<Integration>;
  /** Every live integration, of every organization: for the service's own state. */
  list(): Promise<readonly Integration[]>;
}

/** Connects vendors: what they send is stored before it is acknowledged, what is sent to them goes out with their credentials. */
export function createIntegrations(
  deps: IntegrationsDeps,
  configured: ConfiguredAccounts,
): Integrations {
  const { db, ids, clock, log } = deps;
  const connectors = new Map(deps.connectors.map((connector) => [connector.id, connector]));
  const connections = createConnections({ ...deps, connectors });
  let listeners: IntegrationListeners | undefined;

  function currentListeners(): IntegrationListeners {
    if (listeners) return listeners;
    throw new Error("Deliveries are handled before a room has subscribed to them.");
  }

  const deliveries = deps.jobs.define<{ readonly inboxId: string }>({
    name: "handle-delivery",
    isOrdered: true,
    concurrencyMax: deps.concurrencyMax,
    retriesMax: 6,
    retryDelaySeconds: 1,
    retryDelaySecondsMax: 60,
    runSecondsMax: 120,
    handle: (job, options) =>
      handleDelivery(
        { db, log, clock, connectors, connections, listeners: currentListeners },
        job.data.inboxId,
        options,
      ),
    onDead: (job, error) =>
      withSystem(db, "park a delivery", (tx) =>
        markDelivery(tx, job.data.inboxId, {
          state: "dead",
          detail: String(error),
          at: clock.now(),
        }),
      ),
  });

  const inbox = createInbox({
    ids,
    clock,
    failpoint: deps.failpoint,
    async storeBatch(rows) {
      const isAnyNew = await withSystem(deps.ingestDb, "store deliveries", async (tx) => {
        const stored = await insertNewDeliveries(tx, rows);
        if (stored.length === 0) return false;
        // The job has the id of its row: given on arrival, it carries the order.
        const jobs = stored.map(({ id, orderKey }) => ({
          id,
          key: orderKey,
          data: { inboxId: id },
        }));
        await deliveries.enqueue(sqlExecutor(tx), jobs);
        return true;
      });
      if (isAnyNew) deliveries.wake();
    },
  });

  const links = new Map<string, Map<string, LinkState>>();
  const messenger = deps.connectors.find((connector) => connector.messenger)?.messenger;

  return {
    inbox,
    connections,
    webhookRoutes: webhookRoutes({ inbox, log, connectors }),
    links,
    split: (markdown) => messenger?.split(markdown) ?? [markdown],
    start: () => addListeners({ ...deps, inbox, connections, connectors }, configured, links),
    subscribe(next) {
      listeners = next;
    },
    checkKeys: (options) => checkKeys(deps, options),
    connect: connections.connect,
    list: () => withSystem(db, "list integrations", listLiveIntegrations),
  };
}
