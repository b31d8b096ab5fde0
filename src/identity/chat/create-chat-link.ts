import { AppError } from "#platform";
import { withTenant } from "#database";
import type { IdentityDeps } from "../deps.ts";
import { hashOf, randomToken } from "../hash-token.ts";
import { mayEverAct, type ChatPerson } from "../model.ts";
import { deleteExpiredChatLinks, insertChatLink } from "./store.ts";

const LINK_MS = 15 * 60_000;
const NAME_CHARACTERS_MAX = 200;

export interface NewChatLink {
  readonly organizationId: string;
  readonly integrationId: string;
  /** "Acme", as people know the chat. */
  readonly workspaceName: string;
  readonly person: ChatPerson;
}

/** A one-time token for the page that ties a chat account to whoever is signed in there. Throws forbidden for strangers and guests. */
export async function createChatLinkToken(deps: IdentityDeps, input: NewChatLink): Promise<string> {
  const { organizationId, integrationId, person } = input;
  if (!mayEverAct(person)) {
    await deps.audit.record({
      organizationId,
      actor: { kind: "chat_user", id: person.id },
      action: "chat_user.refused",
      outcome: "denied",
      details: { reason: person.isStranger ? "stranger" : "guest" },
    });
    throw new AppError("forbidden", "Guests and people of other workspaces cannot be linked.");
  }
  const token = randomToken();
  const at = deps.clock.now();
  const id = deps.ids();
  await withTenant(deps.db, organizationId, async (tx) => {
    await deleteExpiredChatLinks(tx, organizationId, at);
    await insertChatLink(tx, organizationId, {
      id,
      organizationId,
      integrationId,
      chatUserId: person.id,
      chatUserName: (person.name ?? person.id).slice(0, NAME_CHARACTERS_MAX),
      workspaceName: input.workspaceName.slice(0, NAME_CHARACTERS_MAX),
      hash: hashOf(token),
      at,
      expiresAt: new Date(at.getTime() + LINK_MS),
    });
    await deps.audit.append(tx, {
      organizationId,
      actor: { kind: "chat_user", id: person.id },
      action: "chat_user.link_offered",
      target: { kind: "chat_link", id },
      outcome: "ok",
      details: { integration_id: integrationId },
    });
  });
  return token;
}
