import type { Connector, Grant, Secret } from "@infragpt/connector-kit";
import type { Audit, AuditActor } from "#audit";
import { withTenant, type Database, type DatabaseTransaction } from "#database";
import {
  AppError,
  type Abortable,
  type Clock,
  type Events,
  type Ids,
  type Keyring,
} from "#platform";
import { connectionHealthChanged } from "../events.ts";
import type { Integration } from "../model.ts";
import { sealCredentials, type SealedForWriting } from "../credentials.ts";
import { deleteCredentials, listCredentialVersions, writeCredential } from "../store.ts";
import { setHealth } from "../upkeep/set-health.ts";
import { findIntegration, findIntegrationOfOrganization, upsertIntegration } from "./store.ts";

/** Writers of one account that may get in each other's way before we give up. */
const ATTEMPTS_MAX = 5;

export interface SaveGrantDeps {
  readonly db: Database;
  readonly keyring: Keyring;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly audit: Pick<Audit, "append">;
  readonly events: Pick<Events, "publish" | "wake">;
  /** Called in the transaction that connects an account. */
  readonly onConnected: (tx: DatabaseTransaction, integration: Integration) => Promise<void>;
  /** Called after the commit: begins at once what `onConnected` enqueued. */
  readonly wakeConnected: () => void;
}

export interface GrantInput {
  readonly organizationId: string;
  readonly connector: Connector;
  readonly grant: Grant;
  /** Undefined: the account's name, or what the integration is called already. */
  readonly label?: string | undefined;
  readonly userId?: string | undefined;
  readonly actor: AuditActor;
  readonly requestId?: string | undefined;
}

/**
 * Stores what a vendor granted: the integration, its sealed credentials and the audit rows in one
 * transaction, all or nothing. An account that the organization has connected before is renewed; one
 * of another organization is refused.
 */
export async function saveGrant(
  deps: SaveGrantDeps,
  input: GrantInput,
  options: Abortable,
): Promise<Integration> {
  assertStorable(input.grant);
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const saved = await trySave(deps, input, options);
    if (saved) {
      deps.events.wake(connectionHealthChanged);
      deps.wakeConnected();
      return saved;
    }
  }
  throw new AppError(
    "conflict",
    `${input.grant.profile.accountName} is being changed by somebody else; try again.`,
  );
}

/** Undefined when another writer came first. */
async function trySave(
  deps: SaveGrantDeps,
  input: GrantInput,
  { signal }: Abortable,
): Promise<Integration | undefined> {
  const { organizationId, connector, grant } = input;
  const before = await withTenant(deps.db, organizationId, async (tx) => {
    const found = await findIntegrationOfOrganization(
      tx,
      organizationId,
      connector.id,
      grant.profile.accountId,
    );
    const versions = found && (await listCredentialVersions(tx, organizationId, found.id));
    return { id: found?.id ?? deps.ids(), versions: versions ?? new Map<string, number>() };
  });
  // The keys may live at a remote provider: seal before the transaction, and let the versions decide.
  const owner = { organizationId, integrationId: before.id };
  const sealed = await sealCredentials(deps, owner, grant.credentials, before.versions, { signal });
  try {
    return await withTenant(deps.db, organizationId, (tx) =>
      write(deps, tx, input, before.id, sealed),
    );
  } catch (error) {
    if (error instanceof OvertakenError) return undefined;
    if (isLabelTaken(error)) {
      throw new AppError("conflict", `Another ${connector.name} integration has this label.`, {
        cause: error,
      });
    }
    throw error;
  }
}

/** Another writer of the same account came first: everything of this attempt is rolled back. */
class OvertakenError extends Error {}

async function write(
  deps: SaveGrantDeps,
  tx: DatabaseTransaction,
  input: GrantInput,
  expectedId: string,
  sealed: readonly SealedForWriting[],
): Promise<Integration> {
  const { organizationId, connector, grant, actor, requestId } = input;
  const at = deps.clock.now();
  const id = await upsertIntegration(tx, organizationId, {
    id: expectedId,
    connectorId: connector.id,
    label: input.label,
    userId: input.userId,
    connectorUserId: grant.grantedBy,
    credentialType: grant.credentialType ?? connector.authorization?.credentialType ?? "token",
    credentialsExpireAt: grant.expiresAt,
    profile: grant.profile,
    at,
  });
  if (!id) {
    throw new AppError(
      "conflict",
      `${grant.profile.accountName} is already connected by another organization.`,
    );
  }
  if (id !== expectedId) throw new OvertakenError();
  for (const credential of sealed) {
    if (!(await writeCredential(tx, organizationId, id, { ...credential, at }))) {
      throw new OvertakenError();
    }
  }
  const names = sealed.map((credential) => credential.credentialType);
  const removed = await deleteCredentials(tx, organizationId, id, names);
  await setHealth(deps, tx, { organizationId, id }, { status: "healthy" });
  const integration = await findIntegration(tx, organizationId, id);
  if (!integration) throw new OvertakenError();
  await deps.onConnected(tx, integration);
  const target = { kind: "integration", id };
  const common = { organizationId, actor, target, outcome: "ok", requestId } as const;
  await deps.audit.append(tx, {
    ...common,
    action: "integration.connected",
    details: {
      connector: connector.id,
      account_id: grant.profile.accountId,
      label: integration.label,
    },
  });
  await deps.audit.append(tx, {
    ...common,
    action: "credential.written",
    details: { names, removed: [...removed] },
  });
  return integration;
}

const NAME = /^[a-z][a-z0-9_]{0,62}$/;
const SECRET_CHARACTERS_MAX = 32_768;

/** A connector may be a plug-in: what it hands over is checked before it fills an index. */
function assertStorable({ credentials, profile }: Grant): void {
  const isNamed = Object.entries(credentials).every(
    ([name, secret]: [string, Secret]) =>
      NAME.test(name) && secret.reveal().length <= SECRET_CHARACTERS_MAX,
  );
  const { accountId, accountName } = profile;
  const isKnown = /^[\x21-\x7e]{1,500}$/.test(accountId) && accountName.length <= 500;
  if (isNamed && isKnown && Object.keys(credentials).length <= 30) return;
  throw new AppError("internal", "The connector handed over credentials that cannot be stored.");
}

function isLabelTaken(error: unknown): boolean {
  return (
    typeof error === "object" &&
    error !== null &&
    "constraint" in error &&
    error.constraint === "integrations_live_label"
  );
}
