import type { Connection, Connector, ConnectorError, Secret } from "@infragpt/connector-kit";
import { withTenant } from "#database";
import { AppError, deadline, type Abortable, type Log } from "#platform";
import { saveGrant, type SaveGrantDeps } from "./connected/save-grant.ts";
import {
  endIntegration,
  findConnectionStamp,
  findIntegration,
  touchLastUsed,
} from "./connected/store.ts";
import { openSealed } from "./credentials.ts";
import { connectionHealthChanged } from "./events.ts";
import type { Integration, KnownHealth } from "./model.ts";
import { deleteCredentials, listCredentials } from "./store.ts";
import type { Refresher } from "./upkeep/refresh-credentials.ts";
import { setHealth } from "./upkeep/set-health.ts";
import { setSuspension } from "./upkeep/set-suspension.ts";

/** Opened credentials stay in memory this long, so that a busy conversation does not unseal each post. */
const OPEN_MS = 60_000;
const OPEN_MAX = 1_000;
const IDENTIFY_TIMEOUT_MS = 15_000;
/** A call with a token that ends sooner would fail on its way. */
const USABLE_MS_MIN = 60_000;

export interface ConnectionDeps extends SaveGrantDeps {
  readonly log: Log;
  readonly connectors: ReadonlyMap<string, Connector>;
  readonly refresher: Refresher;
}

export interface Connections {
  /** Connects an account from the configuration, or renews its credentials. Asks the vendor whom they speak for first. */
  connect(
    input: {
      organizationId: string;
      connectorId: string;
      credentials: Readonly<Record<string, Secret>>;
    },
    options: Abortable,
  ): Promise<Integration>;
  /** An integration ready for a call. Throws not_found for one that has ended, conflict for a suspended one unless it is only asked how it is. */
  open(
    organizationId: string,
    integrationId: string,
    options: Abortable & { readonly isProbe?: boolean },
  ): Promise<OpenConnection>;
  /** The account ended the connection itself: its credentials are deleted at once. */
  end(integration: Integration, reason: string): Promise<void>;
  /** Closes or opens a connection whose account did so at the vendor; its credentials stay. */
  suspend(
    integration: Integration,
    change: {
      readonly kind: "suspended" | "resumed";
      readonly reason: string;
      readonly at: Date;
    },
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
  const opened = new Map<
    string,
    { readonly at: number; readonly stamp: string; readonly value: OpenConnection }
  >();

  async function openNow(integration: Integration, options: Abortable): Promise<OpenConnection> {
    const { organizationId, id, profile } = integration;
    const connector = getConnector(deps.connectors, integration.connectorId);
    const rows = await withTenant(deps.db, organizationId, async (tx) => {
      const sealed = await listCredentials(tx, organizationId, id);
      await touchLastUsed(tx, organizationId, id, deps.clock.now());
      // Remembered before they are opened: no use without its row.
      await deps.audit.append(tx, {
        organizationId,
        actor: { kind: "system", id: "integrations" },
        action: "credential.used",
        target: { kind: "integration", id },
        outcome: "ok",
        details: { names: sealed.map((row) => row.credentialType), for_seconds: OPEN_MS / 1_000 },
      });
      return sealed;
    });
    const owner = { organizationId, integrationId: id };
    const credentials = await openSealed(deps, owner, rows, options);
    const { accountId } = profile;
    return { connector, connection: { integrationId: id, accountId, credentials, profile } };
  }

  return {
    async connect({ organizationId, connectorId, credentials }, { signal }) {
      const connector = getConnector(deps.connectors, connectorId);
      if (!connector.identify) {
        throw new AppError(
          "invalid_request",
          `${connector.name} cannot be connected with credentials.`,
        );
      }
      const profile = await connector.identify(credentials, {
        signal: deadline(signal, IDENTIFY_TIMEOUT_MS),
      });
      const actor = { kind: "system", id: "configuration" } as const;
      const grant = { credentials, profile };
      const integration = await saveGrant(
        deps,
        { organizationId, connector, grant, actor },
        { signal },
      );
      const { id } = integration;
      deps.log.info({ organizationId, integrationId: id, connectorId }, "account connected");
      return integration;
    },

    async open(organizationId, integrationId, options) {
      const stamp = await withTenant(deps.db, organizationId, (tx) =>
        findConnectionStamp(tx, organizationId, integrationId),
      );
      const held = opened.get(integrationId);
      const now = deps.clock.now().getTime();
      if (held && held.stamp === stamp && now - held.at < OPEN_MS) return held.value;
      opened.delete(integrationId);
      const integration = await withTenant(deps.db, organizationId, (tx) =>
        findIntegration(tx, organizationId, integrationId),
      );
      if (!integration || stamp === undefined) {
        throw new AppError("not_found", `Integration ${integrationId} does not exist.`);
      }
      const { connectorId, status } = integration;
      const canTell = deps.connectors.get(connectorId)?.checkHealth !== undefined;
      const isAsking = options.isProbe === true && status === "suspended" && canTell;
      if (!isAsking) assertActive(integration);
      if (needsRefresh(integration, now)) await deps.refresher.refresh(integration, options);
      const value = await openNow(integration, options);
      // One that is only probed is not kept: the next caller may not have it.
      if (integration.status !== "active") return value;
      if (opened.size >= OPEN_MAX) opened.clear();
      opened.set(integrationId, { at: now, stamp, value });
      return value;
    },

    async end(integration, reason) {
      const { organizationId, id } = integration;
      opened.delete(id);
      await withTenant(deps.db, organizationId, async (tx) => {
        await setHealth(deps, tx, integration, { status: "revoked", detail: reason });
        const at = deps.clock.now();
        if (!(await endIntegration(tx, organizationId, id, { reason, at }))) return;
        await deleteCredentials(tx, organizationId, id, []);
        await deps.audit.append(tx, {
          organizationId,
          actor: { kind: "system", id: integration.connectorId },
          action: "integration.removed",
          target: { kind: "integration", id },
          outcome: "ok",
          details: { reason },
        });
      });
      deps.events.wake(connectionHealthChanged);
      deps.log.info({ organizationId, integrationId: id, reason }, "connection ended");
    },

    async suspend(integration, { kind, reason, at }) {
      const { organizationId, id } = integration;
      opened.delete(id);
      const isSuspended = kind === "suspended";
      const health: KnownHealth = isSuspended
        ? { status: "degraded", detail: reason }
        : { status: "healthy" };
      const isChanged = await withTenant(deps.db, organizationId, (tx) =>
        setSuspension(deps, tx, integration, { isSuspended, reason, at, health }),
      );
      if (!isChanged) return;
      deps.events.wake(connectionHealthChanged);
      deps.log.info({ organizationId, integrationId: id, reason }, `connection ${kind}`);
    },

    async note(integration, error) {
      const status = statusAfter(error);
      if (!status) return;
      const { organizationId, id } = integration;
      opened.delete(id);
      const detail = error.message;
      const isNew = await withTenant(deps.db, organizationId, async (tx) => {
        const now = await findIntegration(tx, organizationId, id);
        // Of a suspended account more is known than what a call of a moment before says.
        if (now?.status !== "active") return false;
        return setHealth(deps, tx, integration, { status, detail });
      });
      deps.events.wake(connectionHealthChanged);
      if (!isNew) return;
      const facts = { organizationId, integrationId: id, status, detail };
      deps.log.warn(facts, "connection is not healthy");
    },
  };
}

/** Throws not_found for a connector that this service does not have. */
export function getConnector(
  connectors: ReadonlyMap<string, Connector>,
  connectorId: string,
): Connector {
  const connector = connectors.get(connectorId);
  if (connector) return connector;
  throw new AppError("not_found", `There is no connector "${connectorId}" in this service.`);
}

function assertActive({ status, label, connectorId }: Integration): void {
  if (status === "active") return;
  throw new AppError(
    "conflict",
    `The ${connectorId} integration ${label} is ${status}: open it again at the vendor.`,
  );
}

function needsRefresh({ credentialsExpireAt, refreshState }: Integration, now: number): boolean {
  if (!credentialsExpireAt || refreshState !== "idle") return false;
  return credentialsExpireAt.getTime() - now < USABLE_MS_MIN;
}

function statusAfter(error: ConnectorError): "revoked" | "degraded" | undefined {
  if (error.kind === "unauthorized") return "revoked";
  return error.kind === "missing_permission" ? "degraded" : undefined;
}
