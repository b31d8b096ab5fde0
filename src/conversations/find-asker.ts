import type { InboundAuthor } from "@infragpt/connector-kit";
import type { ChatPerson, Identity } from "#identity";
import type { Integration, Integrations } from "#integrations";
import { AppError, deadline, type Abortable, type Principal } from "#platform";

const READ_TIMEOUT_MS = 10_000;

export interface AskerDeps {
  readonly integrations: Pick<Integrations, "connections">;
  readonly identity: Pick<Identity, "provider" | "chat">;
}

/** Whom somebody in a chat acts as; undefined for bots, strangers, guests and people who are not linked. */
export async function findAsker(
  deps: AskerDeps,
  integration: Integration,
  author: InboundAuthor,
  options: Abortable,
): Promise<Principal | undefined> {
  if (author.kind !== "person") return undefined;
  const person = await readAsker(deps, integration, author, options);
  return person && deps.identity.chat.findUser(integration.organizationId, integration.id, person);
}

/** What the vendor says of somebody; undefined for who is no longer there. Throws when it cannot be asked: nobody acts unseen. */
export async function readAsker(
  deps: AskerDeps,
  { organizationId, id }: Integration,
  author: InboundAuthor,
  { signal }: Abortable,
): Promise<ChatPerson | undefined> {
  // Whoever is in the chat of a laptop acts as its admin: nothing depends on what the vendor says.
  if (deps.identity.provider === "local") return { id: author.id, name: author.name };
  const { connector, connection } = await deps.integrations.connections.open(organizationId, id, {
    signal,
  });
  const read = await connector.messenger?.readPerson?.(connection, author.id, {
    signal: deadline(signal, READ_TIMEOUT_MS),
  });
  if (!read) throw new AppError("unavailable", "This chat does not say who its people are.");
  const { isActive, ...profile } = read;
  return isActive ? { id: author.id, ...profile } : undefined;
}
