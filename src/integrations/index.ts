import type { Connector, LinkState, Resource, Secret } from "@infragpt/connector-kit";
import { createRefusals, type Audit } from "#audit";
import {
  sqlExecutor,
  withSystem,
  withTenant,
  type Database,
  type DatabaseTransaction,
} from "#database";
import { organizationDeleted } from "#identity";
import type {
  Abortable,
  Clock,
  Events,
  Failpoint,
  Ids,
  Jobs,
  Keyring,
  Log,
  RawRoute,
  Route,
  Services,
} from "#platform";
import { redirectRoutes } from "./authorizing/redirect-routes.ts";
import { findAnyIntegration, listLiveIntegrations } from "./connected/store.ts";
import { createConnections, type Connections } from "./connections.ts";
import type { IntegrationListeners } from "./events.ts";
import { handleDelivery } from "./handle-delivery.ts";
import { createInbox, type Inbox } from "./inbox.ts";
import { createKeyKeeper } from "./keys/keep-keys.ts";
import { addListeners, type ConfiguredAccounts, type LinkStates } from "./listen.ts";
import type { Integration } from "./model.ts";
import { webhookRoutes } from "./receive-webhook.ts";
import { createDeliveryBatches } from "./deliveries/batches.ts";
import { forgetDeliveries } from "./deliveries/forget-deliveries.ts";
import { insertNewDeliveries, reviveDeadDeliveries } from "./deliveries/store.ts";
import { listOwnResources } from "./read-integrations.ts";
import { revokeAll } from "./revoke.ts";
import { integrationRoutes } from "./routes.ts";
import { createRefresher } from "./upkeep/refresh-credentials.ts";
import { createRevocations } from "./upkeep/revoke-at-vendor.ts";
import { createSetUps } from "./upkeep/set-up-account.ts";
import { createResourceSync } from "./upkeep/sync-resources.ts";
import { makeProbeDue } from "./upkeep/store.ts";
import { watchConnections } from "./upkeep/watch-connections.ts";

export {
  diagnose as diagnoseSlack,
  newAppUrl as newSlackAppUrl,
  slackManifest,
} from "./connectors/slack/index.ts";
export { diagnoseGitHub, newAppUrl as newGitHubAppUrl } from "./connectors/github/index.ts";
export { hasStoredCredentials } from "./credentials.ts";
export { checkKeys } from "./keys/check-keys.ts";
export { listKeys, type KeyList, type ListedKey } from "./keys/list-keys.ts";
export { retireKey } from "./keys/retire-key.ts";
export { rotateKeys, type Rotation, type RotationProgress } from "./keys/rotate-keys.ts";
export { builtinConnectors, type ConnectorSettings } from "./registry.ts";
export { createVendorFetch } from "./vendor-fetch.ts";
export type { OpenConnection } from "./connections.ts";
export {
  connectionHealthChanged,
  type ActionReceived,
  type CommandReceived,
  type IntegrationListeners,
  type MessageReceived,
  type SignalReceived,
} from "./events.ts";
export type { ConfiguredAccounts, LinkStates } from "./listen.ts";
export type { Integration, IntegrationHealth, IntegrationStatus } from "./model.ts";

export interface IntegrationsDeps {
  readonly db: Database;
  /** A small pool of its own, so that acknowledgements never wait for turns. */
  readonly ingestDb: Database;
  readonly jobs: Jobs;
  readonly events: Events;
  readonly audit: Audit;
  readonly keyring: Keyring;
  readonly services: Services;
  readonly log: Log;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly failpoint: Failpoint;
  readonly connectors: readonly Connector[];
  /** "http://localhost:8080", without a slash at its end. */
  readonly publicUrl: () => string;
  /** Where vendors send people back to, by connector id; `<public url>/integrations/callback/<id>` otherwise. */
  readonly redirectUrls: ReadonlyMap<string, string>;
  /** Deliveries understood at once in this replica. */
  readonly concurrencyMax: number;
}

export interface Integrations {
  readonly inbox: Inbox;
  readonly connections: Connections;
  readonly webhookRoutes: readonly RawRoute[];
  readonly routes: readonly Route[];
  /** Where vendors send browsers back to. */
  readonly redirectRoutes: readonly RawRoute[];
  readonly links: LinkStates;
  /** Cuts Markdown into parts that the chat takes whole. */
  split(markdown: string): readonly string[];
  /** Begins to connect what is configured and to listen. */
  start(): void;
  /** The room above says once what happens with what arrives. */
  subscribe(listeners: IntegrationListeners): void;
  /** Refuses to go on when stored credentials need keys that are not here, or another replica lacks the primary one. */
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
  /** One integration of an organization, also an ended one. */
  find(organizationId: string, integrationId: string): Promise<Integration | undefined>;
  /** What an account shares: repositories and the like, by id. */
  listResources(
    organizationId: string,
    integrationId: string,
    page: { readonly after: string; readonly limit: number },
  ): Promise<readonly Resource[]>;
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
  const keys = createKeyKeeper(deps);
  const refresher = createRefresher({ ...deps, connectors });
  const saving = {
    ...deps,
    connectors,
    refresher,
    async onConnected(tx: DatabaseTransaction, integration: Integration): Promise<void> {
      if (connectors.get(integration.connectorId)?.resources) {
        await resourceSync.enqueue(tx, integration);
      }
      await setUps.enqueue(tx, integration);
    },
    wakeConnected(): void {
      resourceSync.wake();
      setUps.wake();
    },
  };
  const connections = createConnections(saving);
  const resourceSync = createResourceSync({ ...deps, connections });
  const setUps = createSetUps({ ...deps, connections, connectors });
  const revocations = createRevocations({ ...deps, connectors });
  function isSecure(): boolean {
    return deps.publicUrl().startsWith("https:");
  }
  function redirectUri(connectorId: string): string {
    // Slack's address is older than the common one.
    const path = connectorId === "slack" ? "/slack" : `/integrations/callback/${connectorId}`;
    return deps.redirectUrls.get(connectorId) ?? `${deps.publicUrl()}${path}`;
  }
  const routeDeps = { ...saving, connections, resourceSync, revocations, isSecure, redirectUri };
  deps.events.on(organizationDeleted, "revoke-integrations", ({ organizationId }) =>
    revokeAll(routeDeps, organizationId),
  );
  let listeners: IntegrationListeners | undefined;

  function currentListeners(): IntegrationListeners {
    if (listeners) return listeners;
    throw new Error("Deliveries are handled before a room has subscribed to them.");
  }

  const batches = createDeliveryBatches(db);
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
        {
          deliveries: batches,
          log,
          clock,
          connectors,
          connections,
          listeners: currentListeners,
          async resync(integration) {
            const { organizationId, id } = integration;
            await withTenant(db, organizationId, async (tx) => {
              await makeProbeDue(tx, organizationId, id, clock.now());
              await resourceSync.enqueue(tx, integration);
            });
            resourceSync.wake();
          },
        },
        { inboxId: job.data.inboxId, isLastAttempt: job.isLastAttempt },
        options,
      ),
    onDead: ({ data }, error) =>
      batches.mark(data.inboxId, { state: "dead", detail: String(error), at: clock.now() }),
  });

  const inbox = createInbox({
    ids,
    clock,
    failpoint: deps.failpoint,
    async storeBatch(rows) {
      const isAnyNew = await withSystem(deps.ingestDb, "store deliveries", async (tx) => {
        const stored = await insertNewDeliveries(tx, rows);
        const revived = stored.length < rows.length ? await reviveDeadDeliveries(tx, rows) : [];
        const parked = revived.map(({ id }) => id);
        // Nearly every batch is all new: to ask for nothing would cost it a round trip.
        const replayed =
          parked.length === 0 ? [] : await deliveries.revive(sqlExecutor(tx), parked);
        const jobless = revived.filter(({ id }) => !replayed.includes(id));
        const jobs = [
          // The job has the id of its row: given on arrival, it carries the order.
          ...stored.map(({ id, orderKey }) => ({ id, key: orderKey, data: { inboxId: id } })),
          ...jobless.map(({ id, orderKey }) => ({
            id: ids(),
            key: orderKey,
            data: { inboxId: id },
          })),
        ];
        await deliveries.enqueue(sqlExecutor(tx), jobs);
        return jobs.length + replayed.length > 0;
      });
      if (isAnyNew) deliveries.wake();
    },
  });

  const links = new Map<string, Map<string, LinkState>>();
  const messenger = deps.connectors.find((connector) => connector.messenger)?.messenger;

  return {
    inbox,
    connections,
    webhookRoutes: webhookRoutes({ ...routeDeps, inbox, refusals: createRefusals(deps) }),
    routes: integrationRoutes(routeDeps),
    redirectRoutes: redirectRoutes(routeDeps),
    links,
    split: (markdown) => messenger?.split(markdown) ?? [markdown],
    start() {
      addListeners({ ...deps, inbox, connections, connectors }, configured, links);
      deps.services.add("connections:watch", (options) => watchConnections(routeDeps, options));
      deps.services.add("keys:keep", (options) => keys.keep(options));
      deps.services.add("deliveries:forget", (options) => forgetDeliveries(deps, options));
    },
    subscribe(next) {
      listeners = next;
    },
    checkKeys: (options) => keys.announce(options),
    connect: (input, options) => connections.connect(input, options),
    find: (organizationId, id) =>
      withTenant(db, organizationId, (tx) => findAnyIntegration(tx, organizationId, id)),
    listResources: (organizationId, id, page) => listOwnResources(deps, organizationId, id, page),
    list: () => withSystem(db, "list integrations", listLiveIntegrations),
  };
}
