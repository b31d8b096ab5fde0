import {
  ConnectorError,
  type Connection,
  type Connector,
  type Secret,
} from "@infragpt/connector-kit";
import {
  AppError,
  deadline,
  type Abortable,
  type Clock,
  type Ids,
  type Keyring,
  type Log,
} from "#platform";
import { withSystem, withTenant, type Database } from "#database";
import { openCredentials, storeCredentials } from "./credentials.ts";
import type { Integration } from "./model.ts";
import {
  endIntegration,
  findIntegration,
  findIntegrationOfAccount,
  updateHealth,
  updateStatus,
  upsertIntegration,
} from "./store.ts";

/** Opened credentials stay in memory this long, so that a busy conversation does not unseal each post. */
const OPEN_MS = 60_000;
const OPEN_MAX = 1_000;
const IDENTIFY_TIMEOUT_MS = 15_000;

export interface ConnectionDeps {
  readonly db: Database;
  readonly keyring: Keyring;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly log: Log;
  readonly connectors: ReadonlyMap<string, Connector>;
}

export interface Connections {
  /** Connects an account, or renews its credentials. Asks the vendor whom they speak for first. */
  connect(
    input: {
      organizationId: string;
      connectorId: string;
      credentials: Readonly<Record<string, Secret>>;
    },
    options: Abortable,
  ): Promise<Integration>;
  /** An integration ready for a call. Throws not_found. */
  open(organizationId: string, integrationId: string, options: Abortable): Promise<OpenConnection>;
  /** Ends access at once: credentials are deleted. */
  end(integration: Integration, reason: string): Promise<void>;
  /** Closes or opens a connection whose account did so at the vendor; its credentials stay. */
  suspend(
    integration: Integration,
    change: { readonly kind: "suspended" | "resumed"; readonly reason: string },
  ): Promise<void>;
  /** Notes what a call found out about the health of a connection. */
  note(
    integration: Pick<Integration, "organizationId" | "id">,
    error: ConnectorError,
  ): Promise<void>;
}

export interface OpenConnection {
  readonly connector: Connector;
  readonly connection: Connection;
}

export function createConnections(deps: ConnectionDeps): Connections {
  const opened = new Map<string, { readonly at: number; readonly value: OpenConnection }>();

  function connectorOf(connectorId: string): Connector {
    const connector = deps.connectors.get(connectorId);
    if (connector) return connector;
    throw new AppError("not_found", `There is no connector "${connectorId}" in this service.`);
  }

  return {
    async connect({ organizationId, connectorId, credentials }, { signal }) {
      const connector = connectorOf(connectorId);
      if (!connector.identify)
        throw new AppError(
          "invalid_request",
          `${connector.name} cannot be connected with credentials.`,
        );
      const profile = await connector.identify(credentials, {
        signal: deadline(signal, IDENTIFY_TIMEOUT_MS),
      });
      const at = deps.clock.now();
      const id = await withTenant(deps.db, organizationId, (tx) =>
        upsertIntegration(tx, organizationId, { id: deps.ids(), connectorId, profile, at }),
      );
      if (!id) {
        throw new AppError(
          "conflict",
          `${profile.accountName} is already connected by another organization.`,
        );
      }
      await storeCredentials(deps, { organizationId, integrationId: id }, credentials, { signal });
      opened.delete(id);
      const integration = await withTenant(deps.db, organizationId, async (tx) => {
        await updateHealth(tx, organizationId, id, { status: "healthy", detail: undefined, at });
        return findIntegration(tx, organizationId, id);
      });
      if (!integration)
        throw new AppError("conflict", `${profile.accountName} was disconnected meanwhile.`);
      deps.log.info({ organizationId, integrationId: id, connectorId }, "account connected");
      return integration;
    },

    async open(organizationId, integrationId, { signal }) {
      const held = opened.get(integrationId);
      const isFresh = held && deps.clock.now().getTime() - held.at < OPEN_MS;
      if (isFresh) return held.value;
      const integration = await withTenant(deps.db, organizationId, (tx) =>
        findIntegration(tx, organizationId, integrationId),
      );
      if (!integration)
        throw new AppError("not_found", `Integration ${integrationId} does not exist.`);
      const credentials = await openCredentials(
        deps,
        { organizationId, integrationId },
        { signal },
      );
      const connector = connectorOf(integration.connectorId);
      const { profile } = integration;
      const value = {
        connector,
        connection: { integrationId, accountId: profile.accountId, credentials, profile },
      };
      if (opened.size >= OPEN_MAX) opened.clear();
      opened.set(integrationId, { at: deps.clock.now().getTime(), value });
      return value;
    },

    async end(integration, reason) {
      const { organizationId, id } = integration;
      opened.delete(id);
      await withTenant(deps.db, organizationId, (tx) =>
        endIntegration(tx, organizationId, id, { reason, at: deps.clock.now() }),
      );
      deps.log.info({ organizationId, integrationId: id, reason }, "connection ended");
    },

    async suspend(integration, { kind, reason }) {
      const { organizationId, id } = integration;
      opened.delete(id);
      const at = deps.clock.now();
      await withTenant(deps.db, organizationId, (tx) =>
        updateStatus(tx, organizationId, id, {
          status: kind === "suspended" ? "suspended" : "active",
          at,
        }),
      );
      deps.log.info({ organizationId, integrationId: id, reason }, `connection ${kind}`);
    },

    async note({ organizationId, id }, error) {
      const status = statusAfter(error);
      if (!status) return;
      opened.delete(id);
      await withTenant(deps.db, organizationId, (tx) =>
        updateHealth(tx, organizationId, id, {
          status,
          detail: error.message,
          at: deps.clock.now(),
        }),
      );
      deps.log.warn(
        { organizationId, integrationId: id, status, detail: error.message },
        "connection is not healthy",
      );
    },
  };
}

function statusAfter(error: ConnectorError): "revoked" | "degraded" | undefined {
  if (error.kind === "unauthorized") return "revoked";
  return error.kind === "missing_permission" ? "degraded" : undefined;
}

/** The integration that a delivery belongs to, found by the account it names. */
export function findIntegrationForDelivery(
  db: Database,
  connectorId: string,
  accountId: string,
): Promise<Integration | undefined> {
  return withSystem(db, "find the owner of a delivery", (tx) =>
    findIntegrationOfAccount(tx, connectorId, accountId),
  );
}
