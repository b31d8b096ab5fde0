import type { Messenger } from "@infragpt/connector-kit";
import { withTenant, type Database } from "#database";
import type { Integration, Integrations, OpenConnection } from "#integrations";
import { AppError, deadline, type Abortable, type Clock, type Ids, type Log } from "#platform";
import { healthMessage, isWell, statusOf } from "./health-card.ts";
import { findCard, noteShown, replaceCard, type HealthCard } from "./store.ts";

const CALL_TIMEOUT_MS = 10_000;
/** Clocks of vendors and ours differ a little. */
const FIND_SPARE_MS = 60_000;

export interface TellOwnersDeps {
  readonly db: Database;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly log: Log;
  readonly integrations: Pick<Integrations, "connections" | "find" | "list">;
  /** Where a person reconnects an integration. */
  readonly reconnectUrl: (integration: Integration) => string;
}

/**
 * Brings the one card of an integration up to what is true now: posted when something is wrong,
 * edited as it changes, green at the end. One at a time for an integration; may run twice.
 */
export async function tellOwners(
  deps: TellOwnersDeps,
  { organizationId, integrationId }: { organizationId: string; integrationId: string },
  options: Abortable,
): Promise<void> {
  const integration = await deps.integrations.find(organizationId, integrationId);
  if (!integration) return;
  const known = await withTenant(deps.db, organizationId, (tx) =>
    findCard(tx, organizationId, integrationId),
  );
  const isOpen = known && known.shownStatus !== "healthy";
  if (!isOpen && isWell(integration)) return;
  if (known?.shownStatus === statusOf(integration)) return;
  const card = isOpen ? known : await begin(deps, integration, options);
  if (!card) {
    deps.log.info({ organizationId, integrationId }, "no chat to tell the owners in");
    return;
  }
  const messageId = await show(deps, integration, card, options);
  if (messageId === undefined) return;
  await withTenant(deps.db, organizationId, (tx) =>
    noteShown(tx, organizationId, integrationId, {
      messageId,
      // "unknown" is told as well, and ends the card like "healthy".
      status: isWell(integration) ? "healthy" : statusOf(integration),
      at: deps.clock.now(),
    }),
  );
}

/** Chooses where the owners are, and writes it down before anything is posted. */
async function begin(
  deps: TellOwnersDeps,
  integration: Integration,
  options: Abortable,
): Promise<HealthCard | undefined> {
  const { organizationId, id: integrationId } = integration;
  for (const { chat, personId } of await listPlaces(deps, integration)) {
    const open = await tryOpen(deps, organizationId, chat.id, options);
    const opening = open?.messenger.openDirect?.(open.connection, personId, inTime(options));
    const channel = await opening?.catch(() => undefined);
    if (!channel) continue;
    const card = {
      id: deps.ids(),
      chatIntegrationId: chat.id,
      channelId: channel.channelId,
      createdAt: deps.clock.now(),
    };
    await withTenant(deps.db, organizationId, (tx) =>
      replaceCard(tx, organizationId, integrationId, card),
    );
    return { ...card, messageId: undefined, shownStatus: "" };
  }
  return undefined;
}

/** Chats of the organization with the person who connected each; those that are well first. */
async function listPlaces(
  deps: TellOwnersDeps,
  { organizationId }: Integration,
): Promise<readonly { readonly chat: Integration; readonly personId: string }[]> {
  const all = await deps.integrations.list();
  return all
    .filter((chat) => chat.organizationId === organizationId && chat.status === "active")
    .flatMap((chat) => (chat.connectorUserId ? [{ chat, personId: chat.connectorUserId }] : []))
    .toSorted((a, b) => Number(isWell(b.chat)) - Number(isWell(a.chat)))
    .slice(0, 5);
}

/** Posts or edits. Undefined where the chat itself is gone. */
async function show(
  deps: TellOwnersDeps,
  integration: Integration,
  card: HealthCard,
  options: Abortable,
): Promise<string | undefined> {
  const open = await tryOpen(deps, integration.organizationId, card.chatIntegrationId, options);
  if (!open) return undefined;
  const { messenger, connection } = open;
  const { channelId } = card;
  const message = healthMessage(integration, deps.reconnectUrl(integration));
  const idempotencyKey = `health:${card.id}`;
  const since = new Date(card.createdAt.getTime() - FIND_SPARE_MS);
  const found =
    card.messageId ??
    (await messenger.find(connection, { channelId, idempotencyKey, since }, inTime(options)))
      ?.messageId;
  if (found === undefined) {
    const post = { ...message, channelId, idempotencyKey };
    return (await messenger.post(connection, post, inTime(options))).messageId;
  }
  const update = { ...message, channelId, messageId: found };
  await messenger.update(connection, update, inTime(options));
  return found;
}

async function tryOpen(
  deps: TellOwnersDeps,
  organizationId: string,
  chatIntegrationId: string,
  options: Abortable,
): Promise<(OpenConnection & { readonly messenger: Messenger }) | undefined> {
  try {
    const open = await deps.integrations.connections.open(
      organizationId,
      chatIntegrationId,
      options,
    );
    const { messenger } = open.connector;
    return messenger && { ...open, messenger };
  } catch (error) {
    // Ended since, or suspended.
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

function inTime({ signal }: Abortable): Abortable {
  return { signal: deadline(signal, CALL_TIMEOUT_MS) };
}
